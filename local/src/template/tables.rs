//! The stack's tables in Glue: what Athena reads, and how.

use super::error::TemplateError;
use super::node::Node;
use super::stack::{Resource, Table};

/// Reads an `AWS::Glue::Table`.
pub(super) fn table(resource: &Resource) -> Result<Table, TemplateError> {
    let input = resource.properties().require("TableInput")?;
    let storage = input.require("StorageDescriptor")?;
    let parameters = input.get("Parameters")?.map(|parameters| parameters.entries()).transpose()?;
    let parameters = parameters.unwrap_or_default().into_iter();
    Ok(Table {
        logical_id: resource.logical_id.clone(),
        columns: columns(&storage.require("Columns")?)?,
        partition_keys: columns(&input.require("PartitionKeys")?)?,
        location: storage.require("Location")?.string()?,
        parameters: parameters
            .map(|(key, value)| Ok((key.to_owned(), value.string()?)))
            .collect::<Result<_, TemplateError>>()?,
    })
}

fn columns(columns: &Node<'_>) -> Result<Vec<(String, String)>, TemplateError> {
    let column = |column: &Node<'_>| {
        column.only(&[&["Comment", "Name", "Type"]])?;
        Ok((column.require("Name")?.string()?, column.require("Type")?.string()?))
    };
    columns.items()?.iter().map(column).collect()
}
