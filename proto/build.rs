//! Compiles the .proto files without a system protoc, and generates beside the usual code:
//! field validation, the table of methods with their declared access, and the uniform heads of requests.

use std::{collections::BTreeSet, env, error::Error, fmt::Write as _, fs, path::PathBuf};

use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor, Value};

/// Head fields that requests share by name: see `bangban_proto::Head`.
const HEAD_FIELDS: [&str; 7] = [
    "district",
    "request_id",
    "etag",
    "after",
    "case",
    "consultation",
    "booking",
];

/// Commands whose requests carry no request id, and why they may be repeated all the same.
const WITHOUT_REQUEST_ID: [(&str, &str); 3] = [
    (
        "bangban.consultation.v1.ConsultationService.ExportRegister",
        "it changes nothing; names that it shows in clear twice are on record twice",
    ),
    (
        "bangban.scheduling.v1.BookingService.CancelByLink",
        "the link is its own request id",
    ),
    (
        "bangban.scheduling.v1.BookingService.MoveByLink",
        "the link and the slot are its own request id",
    ),
];

/// Values of `google.protobuf.MethodOptions.IdempotencyLevel`.
const UNKNOWN: i32 = 0;
const NO_SIDE_EFFECTS: i32 = 1;
const IDEMPOTENT: i32 = 2;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=bangban");
    println!("cargo:rerun-if-changed=third_party");
    let out = PathBuf::from(env::var("OUT_DIR")?);

    let mut files = Vec::new();
    collect(&PathBuf::from("bangban"), &mut files)?;
    files.sort();
    let mut compiler = protox::Compiler::new([".", "third_party"])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(&files)?;
    let descriptors = compiler.file_descriptor_set();
    let pool = compiler.descriptor_pool();

    // Acts are written by us and read from logs: they have no field rules of their own and are not checked.
    let mut checked = protox::Compiler::new([".", "third_party"])?;
    checked.include_imports(true);
    checked.open_files(files.iter().filter(|f| !f.ends_with("acts.proto")))?;

    tonic_prost_build::configure()
        .codec_path("crate::codec::ValidatingCodec")
        .include_file("contracts.rs")
        .extern_path(".buf.validate", "::prost_protovalidate::types")
        .compile_fds(descriptors)?;

    prost_protovalidate_build::Builder::new()
        .file_descriptor_set_bytes(checked.encode_file_descriptor_set())
        .fail_on_runtime_only(true)
        .compile()?;

    // What reflection serves: without comments, and small.
    let mut bare = protox::Compiler::new([".", "third_party"])?;
    bare.include_imports(true).include_source_info(false);
    bare.open_files(&files)?;
    fs::write(
        out.join("descriptors.bin"),
        bare.encode_file_descriptor_set(),
    )?;

    say_that_they_are_the_same(&pool)?;
    fs::write(out.join("methods.rs"), methods(&pool)?)?;
    fs::write(
        out.join("heads.rs"),
        heads(&pool, &fs::read_to_string(out.join("validate_impl.rs"))?)?,
    )?;
    Ok(())
}

fn collect(folder: &PathBuf, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "proto") {
            files.push(path);
        }
    }
    Ok(())
}

fn ours(pool: &DescriptorPool) -> impl Iterator<Item = MethodDescriptor> + '_ {
    pool.services()
        .filter(|s| s.full_name().starts_with("bangban."))
        .flat_map(|s| s.methods().collect::<Vec<_>>())
}

/// The table of methods. A method without a declaration of its access stops the build.
fn methods(pool: &DescriptorPool) -> Result<String, Box<dyn Error>> {
    let extension = pool
        .get_extension_by_name("bangban.options.v1.access")
        .ok_or("no access option")?;
    let mut rows = Vec::new();
    for method in ours(pool) {
        let name = method.full_name().to_owned();
        let options = method.options();
        if !options.has_extension(&extension) {
            return Err(format!(
                "{name} does not declare who may call it (bangban.options.v1.access)"
            )
            .into());
        }
        let Value::Message(access) = options.get_extension(&extension).into_owned() else {
            return Err(format!("{name}: access is no message").into());
        };
        let is_public = access
            .get_field_by_name("is_public")
            .and_then(|v| v.as_bool())
            .unwrap_or(false);
        let scope = access
            .get_field_by_name("scope")
            .and_then(|v| v.as_enum_number())
            .unwrap_or(0);
        let roles = numbers(&access, "roles");
        if !is_public && (roles.is_empty() || scope == 0) {
            return Err(format!(
                "{name} declares neither roles with a scope nor that it is public"
            )
            .into());
        }
        let level = level(&method);
        if level == UNKNOWN {
            return Err(format!(
                "{name} does not declare whether it may be repeated (idempotency_level)"
            )
            .into());
        }
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        rows.push((
            path,
            roles,
            scope,
            is_public,
            level == NO_SIDE_EFFECTS,
            method.is_server_streaming(),
            level != NO_SIDE_EFFECTS && !names_what_is_there(&method.input()),
        ));
    }
    rows.sort();
    let mut text = String::from("&[\n");
    for (path, roles, scope, is_public, reads, streams, begins) in rows {
        writeln!(
            text,
            "Method {{ path: {path:?}, roles: &{roles:?}, scope: {scope}, is_public: {is_public}, is_read: {reads}, is_stream: {streams}, is_beginning: {begins} }},"
        )?;
    }
    text.push(']');
    Ok(text)
}

fn level(method: &MethodDescriptor) -> i32 {
    method
        .options()
        .get_field_by_name("idempotency_level")
        .and_then(|v| v.as_enum_number())
        .unwrap_or(UNKNOWN)
}

/// A command that comes twice has to say that it is the same one, or callers may not repeat it. One that does not, and is
/// not listed, stops the build; so does one that is listed without need.
fn say_that_they_are_the_same(pool: &DescriptorPool) -> Result<(), Box<dyn Error>> {
    let silent: BTreeSet<String> = ours(pool)
        .filter(|m| level(m) == IDEMPOTENT && m.input().get_field_by_name("request_id").is_none())
        .map(|m| m.full_name().to_owned())
        .collect();
    let is_listed = |name: &String| WITHOUT_REQUEST_ID.iter().any(|(listed, _)| listed == name);
    if let Some(name) = silent.iter().find(|name| !is_listed(name)) {
        return Err(format!(
            "{name} is IDEMPOTENT and its request has no request_id: give it one, or say in WITHOUT_REQUEST_ID why it may be repeated without"
        )
        .into());
    }
    match WITHOUT_REQUEST_ID.iter().find(|(name, _)| !silent.contains(*name)) {
        Some((name, why)) => Err(format!(
            "{name} is no command without a request_id: take it out of WITHOUT_REQUEST_ID, where it stands because {why}"
        )
        .into()),
        None => Ok(()),
    }
}

/// Whether a request names a case, or a version that somebody has read.
fn names_what_is_there(request: &MessageDescriptor) -> bool {
    ["case", "etag"]
        .iter()
        .any(|field| request.get_field_by_name(field).is_some())
}

fn numbers(message: &DynamicMessage, field: &str) -> Vec<i32> {
    let Some(value) = message.get_field_by_name(field) else {
        return Vec::new();
    };
    value
        .as_list()
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_enum_number)
        .collect()
}

/// `Head` for every request, and `Checked` for every message that goes over the wire.
fn heads(pool: &DescriptorPool, validated: &str) -> Result<String, Box<dyn Error>> {
    let validated = validated.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut text = String::new();
    let mut seen = BTreeSet::new();
    for method in ours(pool) {
        for (message, is_request) in [(method.input(), true), (method.output(), false)] {
            if !seen.insert(message.full_name().to_owned()) {
                continue;
            }
            let path = rust_path(&message);
            if is_request {
                head(&mut text, &message, &path)?;
            }
            let has_rules = validated.contains(&format!(
                "Validate for {} ",
                path.trim_start_matches("crate::")
            )) || validated.contains(&format!("Validate for {path} "));
            if is_request && has_rules {
                writeln!(
                    text,
                    "impl crate::Checked for {path} {{ fn check(&self) -> Result<(), ::prost_protovalidate::ValidationError> \
                     {{ ::prost_protovalidate::Validate::validate(self) }} }}"
                )?;
            } else {
                writeln!(text, "impl crate::Checked for {path} {{}}")?;
            }
        }
    }
    Ok(text)
}

fn head(text: &mut String, message: &MessageDescriptor, path: &str) -> Result<(), Box<dyn Error>> {
    writeln!(text, "impl crate::Head for {path} {{")?;
    writeln!(text, "const NAME: &'static str = {:?};", message.name())?;
    for field in HEAD_FIELDS {
        if message.get_field_by_name(field).is_some() {
            writeln!(text, "fn {field}(&self) -> &str {{ &self.{field} }}")?;
        }
    }
    writeln!(text, "}}")?;
    Ok(())
}

fn rust_path(message: &MessageDescriptor) -> String {
    format!("crate::{}", message.full_name().replace('.', "::"))
}
