//! The OpenAPI document as a judge: what the application answers must be what its document says.

use axum::http::{Method, StatusCode};
use jsonschema::Validator;
use serde_json::{Value, json};

/// The document, with a validator for each answer in it.
pub struct Document {
    answers: Vec<Answer>,
    operations: Vec<Operation>,
}

/// One operation of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The method.
    pub method: Method,
    /// The path with its templates, such as `/api/v1/livechat/visitor/{token}`.
    pub path: String,
    /// Who may call: `public`, `visitor` or `caller`.
    pub access: String,
}

struct Answer {
    method: Method,
    path: String,
    status: String,
    validator: Validator,
}

impl Document {
    /// Reads the document.
    pub fn new(document: &utoipa::openapi::OpenApi) -> Document {
        let document = serde_json::to_value(document).expect("a document is JSON");
        let (mut answers, mut operations) = (Vec::new(), Vec::new());
        for (path, methods) in document["paths"].as_object().expect("a document has paths") {
            for (method, operation) in methods.as_object().expect("a path has methods") {
                let method: Method = method.to_uppercase().parse().expect("it is a method");
                let access = operation["x-usher-access"].as_str().expect("every operation says who may call").to_owned();
                operations.push(Operation { method: method.clone(), path: path.clone(), access });
                for (status, answer) in operation["responses"].as_object().expect("an operation has answers") {
                    let schema = &answer["content"]["application/json"]["schema"];
                    // An answer without a body says where to go.
                    let schema = if schema.is_null() { &Value::Bool(true) } else { schema };
                    let validator = validator(schema, &document["components"]);
                    answers.push(Answer { method: method.clone(), path: path.clone(), status: status.clone(), validator });
                }
            }
        }
        Document { answers, operations }
    }

    /// Its operations.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Fails if an operation answered what the document does not say. Paths that are no operation are none of its business.
    pub fn check(&self, method: &Method, path: &str, status: StatusCode, body: &Value) {
        let is_operation = |operation: &&Operation| operation.method == *method && fits(&operation.path, path);
        let Some(operation) = self.operations.iter().find(is_operation) else { return };
        if matches!(status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT) {
            // Every operation with a body can answer these.
            return;
        }
        let answer = self
            .answers
            .iter()
            .find(|answer| answer.method == *method && answer.path == operation.path && answer.status == status.as_str());
        let answer =
            answer.unwrap_or_else(|| panic!("{method} {} answers {status}, which its document does not know", operation.path));
        let errors: Vec<String> = answer.validator.iter_errors(body).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{method} {} {status} is not as documented: {errors:#?}\n{body:#}", operation.path);
    }
}

/// A validator that knows the components and lets no member through that the schema does not name.
fn validator(schema: &Value, components: &Value) -> Validator {
    let whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "allOf": [schema],
        "unevaluatedProperties": false,
        "components": components,
    });
    jsonschema::validator_for(&whole).expect("the document's schemas are schemas")
}

/// Whether `path` is one of those that `template` stands for.
fn fits(template: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given || (wanted.starts_with('{') && !given.is_empty()) => {}
            _ => return false,
        }
    }
}
