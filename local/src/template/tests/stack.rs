use super::{refused, resolve, with};

#[test]
fn a_bucket_sends_its_events_to_eventbridge_if_the_template_says_so() {
    let bucket = |configuration: &str| {
        let template =
            format!("Resources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties: {{{configuration}}}\n");
        resolve(&template).map(|mut stack| stack.buckets.remove(0))
    };
    assert!(!bucket("").unwrap().event_bridge);
    assert!(!bucket("NotificationConfiguration: {}").unwrap().event_bridge);
    for configuration in ["{}", "{EventBridgeEnabled: true}", "{EventBridgeEnabled: 'true'}"] {
        let configuration =
            format!("NotificationConfiguration: {{EventBridgeConfiguration: {configuration}}}");
        assert!(bucket(&configuration).unwrap().event_bridge, "{configuration}");
    }
    let off = "NotificationConfiguration: {EventBridgeConfiguration: {EventBridgeEnabled: false}}";
    assert!(!bucket(off).unwrap().event_bridge);
    assert_eq!(bucket("BucketName: mine").unwrap().name, "mine");
    let other = "NotificationConfiguration: {QueueConfigurations: []}";
    assert!(refused(bucket(other)).contains("notifies EventBridge alone"));
}

#[test]
fn made_up_names_are_cut_to_what_the_service_takes() {
    let id = "A".repeat(100);
    let stack = resolve(&format!("Resources:\n  {id}: {{Type: AWS::S3::Bucket}}\n")).unwrap();
    assert_eq!(stack.buckets[0].name.len(), 63);
    assert!(stack.buckets[0].name.starts_with("s-aaa") && stack.buckets[0].name.ends_with("a-local"));
}

#[test]
fn outputs_are_strings_and_can_have_conditions() {
    let template = "
Parameters: {Want: {Type: String, Default: a}}
Conditions: {Wanted: !Equals [!Ref Want, b]}
Resources: {}
Outputs:
  Always: {Value: 5}
  Sometimes: {Value: x, Condition: Wanted}
";
    assert_eq!(resolve(template).unwrap().outputs.keys().collect::<Vec<_>>(), ["Always"]);
    assert_eq!(with(template, &[("Want", "b")]).unwrap().outputs["Sometimes"], "x");
}

#[test]
fn only_sams_transform_is_known() {
    let template = "Transform: AWS::LanguageExtensions\nResources: {}\n";
    assert!(refused(resolve(template)).starts_with("Transform: "));
}
