//! The local cloud as a whole: its services, and the stack of `template.yaml` deployed to them.

mod roles;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::account::{Account, EventSender};
use crate::cloudformation::CloudFormation;
use crate::delivery::{Mailboxes, Message};
use crate::eventbridge::{Bus, Disorder, Schedules};
use crate::executables::{self, BuildError};
use crate::iam::{Denied, Grant, Iam};
use crate::lambda::{self, Credentials, Lambda};
use crate::management::{Managed, Management};
use crate::s3::{self, BucketOptions, S3};
use crate::streams::{self, Application, Delivery, SessionId, StreamGroup, Streams, Switches, Timings};
use crate::template::{self, Stack, StackOptions, Template, TemplateError};

/// The stream group that is there from the start, and the two locations that it streams from.
pub const STREAM_GROUP: &str = "sg-1AB2C3De4";
/// The group's primary location.
pub const PRIMARY_LOCATION: &str = "us-west-2";
/// The group's other location.
pub const OTHER_LOCATION: &str = "us-east-1";
/// The application that is there from the start: the game.
pub const APPLICATION: &str = "a-9ZY8X7Wv6";

/// The environment variable with the endpoint of an S3 that others wrote, to be used in place of our own.
pub const FOREIGN_S3: &str = "CRASH_CAPTURE_S3";

/// How to set the local cloud up.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder for the bucket's objects (`s3`) and the sessions' files (`sessions`).
    pub root: PathBuf,
    /// The template's parameters, beside `StreamGroups`.
    pub parameters: BTreeMap<String, String>,
    /// Whether the template's schedules run, and how long a minute of theirs lasts.
    pub schedules: Schedules,
    /// What AWS does not document.
    pub switches: Switches,
    /// How long GameLift Streams takes for things.
    pub timings: Timings,
    /// What roles and resources are not allowed, although the template says so.
    pub without: BTreeSet<Grant>,
    /// Whether requests count as what they are, plain HTTP. Otherwise they count as sent over TLS: nobody but this
    /// machine sees the loopback interface, and the bucket's policy would let nobody in.
    pub plain_http: bool,
    /// How EventBridge delivers events.
    pub disorder: Disorder,
    /// [`lambda::Options::delivers_twice`]
    pub invoked_twice: bool,
    /// [`lambda::Options::concurrency`]
    pub concurrency: usize,
    /// Whether cargo's progress in building the functions and the game goes to standard error.
    pub build_output: bool,
}

impl Options {
    /// Schedules only by hand, the defaults for everything else.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            parameters: BTreeMap::new(),
            schedules: Schedules::ByHand,
            switches: Switches::default(),
            timings: Timings::default(),
            without: BTreeSet::new(),
            plain_http: false,
            disorder: Disorder::default(),
            invoked_twice: false,
            concurrency: lambda::CONCURRENCY,
            build_output: false,
        }
    }
}

/// Why the local cloud cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The functions or the game cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The template cannot be deployed.
    #[error("template.yaml: {0}")]
    Template(#[from] TemplateError),
    /// The template has no bucket.
    #[error("template.yaml has no bucket")]
    NoBucket,
    /// [`Options::without`] names a grant that the template does not have.
    #[error("template.yaml grants no {0}")]
    NoSuchGrant(Grant),
    /// A role's trust policy does not let the service have it that acts in its name.
    #[error("the role of {0} cannot be assumed: {1}")]
    Role(String, Denied),
    /// S3 refuses the bucket.
    #[error(transparent)]
    Bucket(#[from] s3::Error),
    /// The functions cannot start.
    #[error(transparent)]
    Lambda(#[from] lambda::StartError),
    /// A port or a folder is not to be had.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The running local cloud.
#[derive(Debug)]
pub struct LocalCloud {
    /// Whose it is.
    pub account: Account,
    /// S3.
    pub s3: S3,
    /// GameLift Streams.
    pub streams: Streams,
    /// Lambda.
    pub lambda: Lambda,
    /// EventBridge.
    pub bus: Bus,
    /// SQS and SNS.
    pub mailboxes: Mailboxes,
    /// Who may do what, and who did.
    pub iam: Iam,
    /// Where events come from that are sent by hand.
    pub events: EventSender,
    /// What the template came to.
    pub stack: Stack,
    /// The capture bucket's name.
    pub bucket: String,
    /// The game's executable.
    pub game: PathBuf,
    client: Credentials,
    endpoint: s3::Endpoint,
    management: Management,
    cloudformation: CloudFormation,
}

impl LocalCloud {
    /// Builds the functions and the game, and starts everything.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let built = executables::available(&["start-export", "index-export", "game"], options.build_output)?;
        let game = built["game"].clone();
        let account = Account::default();
        let (events, receiver) = EventSender::new(account.clone());
        let mut stack = deploy(&options, &account)?;
        let iam = roles::enforce(&mut stack, &options)?;
        let s3 = start_s3(&options, &account, &events)?.with_policies(iam.clone());
        let streams = start_streams(&options, &account, &events, &s3, &iam, &game).await?;
        let bucket = stack.buckets.first().ok_or(StartError::NoBucket)?.name.clone();
        for bucket in &stack.buckets {
            s3.create_bucket(&bucket.name, bucket.into()).await?;
        }
        let client = Credentials::random();
        for credentials in stack.functions.iter().map(|function| &function.credentials).chain([&client]) {
            s3.allow(&credentials.access_key_id, &credentials.secret_access_key);
        }
        let endpoint = s3.serve().await?;
        let cloudformation = CloudFormation::of(&account, &stack).await?;
        let mailboxes = stack.queues.iter().chain(&stack.topics).map(|mailbox| mailbox.arn.clone());
        let mailboxes = Mailboxes::new(mailboxes).with_policies(iam.clone());
        let mut lambda = lambda::Options::new(built["start-export"].parent().unwrap_or(Path::new(".")));
        lambda.variables = endpoints(endpoint.url(), &streams);
        lambda.iam = iam.clone();
        lambda.delivers_twice = options.invoked_twice;
        lambda.concurrency = options.concurrency;
        let functions = stack.functions.clone();
        let lambda = Lambda::start(&account, functions, mailboxes.clone(), events.clone(), lambda).await?;
        let rules = stack.rules.clone();
        let bus = Bus::start(
            account.clone(),
            rules,
            receiver,
            lambda.clone(),
            mailboxes.clone(),
            options.schedules,
            options.disorder,
        );
        let managed = Managed {
            stack: stack.clone(),
            lambda: lambda.clone(),
            bus: bus.clone(),
            mailboxes: mailboxes.clone(),
        };
        let management = Management::start(managed).await?;
        Ok(Self {
            account,
            s3,
            streams,
            lambda,
            bus,
            mailboxes,
            iam,
            events,
            stack,
            bucket,
            game,
            client,
            endpoint,
            management,
            cloudformation,
        })
    }

    /// What a client needs in its environment to be pointed here: endpoints, Region, credentials.
    #[must_use]
    pub fn client_environment(&self) -> BTreeMap<String, String> {
        self.environment(&self.client)
    }

    fn environment(&self, credentials: &Credentials) -> BTreeMap<String, String> {
        let mut variables = endpoints(self.endpoint.url(), &self.streams);
        variables.extend(self.management.endpoints());
        for (name, value) in [
            ("AWS_ENDPOINT_URL_CLOUDFORMATION", &self.cloudformation.endpoint()),
            ("AWS_REGION", &self.account.region),
            ("AWS_DEFAULT_REGION", &self.account.region),
            ("AWS_ACCESS_KEY_ID", &credentials.access_key_id),
            ("AWS_SECRET_ACCESS_KEY", &credentials.secret_access_key),
            ("AWS_SESSION_TOKEN", &credentials.session_token),
        ] {
            variables.insert(name.to_owned(), value.clone());
        }
        variables
    }

    /// A session's record, if there is one.
    pub async fn record(&self, session: &SessionId) -> Option<Value> {
        let ending = format!("/{}/{}.json", session.stream_group_id, session.id);
        let records = self.s3.list(&self.bucket, "index/v1/").await.ok()?;
        let key = records.into_iter().find(|key| key.ends_with(&ending))?;
        self.json(&key).await
    }

    /// A session's marker, if there is one.
    pub async fn marker(&self, session: &SessionId) -> Option<Value> {
        self.json(&format!("open/{}/{}.json", session.stream_group_id, session.id)).await
    }

    /// What a failed event left behind in the dead-letter queue of this logical id.
    #[must_use]
    pub fn dead_letters(&self, queue: &str) -> Vec<Message> {
        let queue = self.stack.queues.iter().find(|candidate| candidate.logical_id == queue);
        queue.and_then(|queue| self.mailboxes.messages(&queue.arn)).unwrap_or_default()
    }

    /// What the topic of this logical id has been given to publish.
    #[must_use]
    pub fn published(&self, topic: &str) -> Vec<Message> {
        let topic = self.stack.topics.iter().find(|candidate| candidate.logical_id == topic);
        topic.and_then(|topic| self.mailboxes.messages(&topic.arn)).unwrap_or_default()
    }

    /// How many requests a function has made to read an object, and how many bytes of it it got: as S3 saw it.
    #[must_use]
    pub fn reads(&self, function: &str, key: &str) -> (usize, u64) {
        let is_it = |candidate: &&lambda::Function| candidate.logical_id == function;
        let key_id = self.stack.functions.iter().find(is_it).map(|it| &it.credentials.access_key_id);
        let reads = self.s3.access_log().entries().into_iter().filter(|entry| {
            let is_read = matches!(entry.operation.as_str(), "GetObject" | "HeadObject");
            is_read && entry.key.as_deref() == Some(key) && entry.access_key_id.as_ref() == key_id
        });
        reads.fold((0, 0), |(requests, bytes), entry| (requests + 1, bytes + entry.bytes_sent))
    }

    /// Ends everything: the games, the functions, the services.
    pub async fn stop(self) {
        self.streams.stop().await;
        self.bus.shut_down();
        self.lambda.shut_down().await;
    }

    async fn json(&self, key: &str) -> Option<Value> {
        serde_json::from_slice(&self.s3.read(&self.bucket, key).await.ok()?).ok()
    }
}

impl From<&template::Bucket> for BucketOptions {
    fn from(bucket: &template::Bucket) -> Self {
        let template::Bucket { event_bridge, kms_key, lifecycle, blocks_public_access, policy, .. } = bucket;
        Self {
            eventbridge: *event_bridge,
            kms_key: kms_key.clone(),
            blocks_public_access: *blocks_public_access,
            policy: policy.clone(),
            lifecycle: lifecycle.clone(),
        }
    }
}

/// The stack, with the functions' one parameter that only the user can know.
fn deploy(options: &Options, account: &Account) -> Result<Stack, TemplateError> {
    let mut parameters = options.parameters.clone();
    parameters.entry("StreamGroups".to_owned()).or_insert_with(|| STREAM_GROUP.to_owned());
    let template = Template::read(&executables::workspace().join("template.yaml"))?;
    let mut name = "crash-capture".to_owned();
    if foreign_s3().is_some() {
        // Buckets are named after the stack, and every cloud has its buckets there.
        write!(name, "-{:08x}", fastrand::u32(..)).ok();
    }
    template.resolve(&StackOptions { name, account: account.clone(), parameters })
}

/// The endpoint of an S3 that others wrote, if one is to be used.
fn foreign_s3() -> Option<String> {
    std::env::var(FOREIGN_S3).ok()
}

fn start_s3(options: &Options, account: &Account, events: &EventSender) -> io::Result<S3> {
    match foreign_s3() {
        Some(endpoint) => S3::of_others(&endpoint, account.clone(), events.clone()),
        None => S3::new(&options.root.join("s3"), account.clone(), events.clone()),
    }
}

async fn start_streams(
    options: &Options,
    account: &Account,
    events: &EventSender,
    s3: &S3,
    iam: &Iam,
    game: &Path,
) -> io::Result<Streams> {
    let (s3, known) = (s3.clone(), iam.clone());
    // GameLift Streams writes in the name of whoever asked for the export.
    let delivery = Delivery::new(move |upload: streams::Upload| {
        let (s3, caller) = (s3.clone(), known.principal(&upload.access_key_id));
        async move {
            let put = s3.put_as(&caller, &upload.bucket, &upload.key, upload.zip).await;
            put.map(drop).map_err(|error| error.to_string())
        }
    });
    let streams = Streams::start(streams::Options {
        account: account.clone(),
        root: options.root.join("sessions"),
        events: events.clone(),
        delivery,
        iam: iam.clone(),
        switches: options.switches.clone(),
        timings: options.timings.clone(),
    });
    let streams = streams.await?;
    let mut group = StreamGroup::new(STREAM_GROUP, PRIMARY_LOCATION);
    group.locations.push(OTHER_LOCATION.to_owned());
    streams.add_stream_group(group);
    streams.add_application(Application::new(APPLICATION, game));
    Ok(streams)
}

fn endpoints(s3: &str, streams: &Streams) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("AWS_ENDPOINT_URL_S3".to_owned(), s3.to_owned()),
        ("AWS_ENDPOINT_URL_GAMELIFTSTREAMS".to_owned(), streams.endpoint()),
    ])
}
