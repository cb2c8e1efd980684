//! The `.proto` files, compiled with their comments.

use std::{collections::HashMap, path::Path};

use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, ExtensionDescriptor, FileDescriptor,
    MessageDescriptor, MethodDescriptor, ServiceDescriptor, Value,
};

/// Where a thing stands: its file, and its path there as descriptors number it.
type Place = (String, Vec<i32>);

/// `syntax` in a file: the comment above it is the file's own.
const SYNTAX: i32 = 12;

/// All contracts.
pub struct Contract {
    pool: DescriptorPool,
    comments: HashMap<Place, String>,
}

impl Contract {
    /// Compiles them.
    pub fn compile() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        collect(&root.join("bangban"), &mut files);
        files.sort();
        let mut compiler = protox::Compiler::new([root.to_path_buf(), root.join("third_party")])
            .expect("a compiler");
        compiler.include_imports(true).include_source_info(true);
        compiler.open_files(&files).expect("contracts that compile");
        let pool = compiler.descriptor_pool();
        let mut comments = HashMap::new();
        for file in compiler.file_descriptor_set().file {
            let name = file.name().to_owned();
            for location in file.source_code_info.unwrap_or_default().location {
                let text = location.leading_comments.unwrap_or_default();
                if !text.trim().is_empty() {
                    comments.insert((name.clone(), location.path), tidy(&text));
                }
            }
        }
        Self { pool, comments }
    }

    fn comment(&self, file: &FileDescriptor, path: &[i32]) -> &str {
        let place = (file.name().to_owned(), path.to_vec());
        self.comments.get(&place).map_or("", String::as_str)
    }

    /// The comment at the head of a file.
    pub fn of_file(&self, file: &FileDescriptor) -> &str {
        self.comment(file, &[SYNTAX])
    }

    /// The comment of a service.
    pub fn of_service(&self, service: &ServiceDescriptor) -> &str {
        self.comment(&service.parent_file(), service.path())
    }

    /// The comment of a method.
    pub fn of_method(&self, method: &MethodDescriptor) -> &str {
        self.comment(&method.parent_service().parent_file(), method.path())
    }

    /// The comment of a message.
    pub fn of_message(&self, message: &MessageDescriptor) -> &str {
        self.comment(&message.parent_file(), message.path())
    }

    /// The comment of a field.
    pub fn of_field(&self, field: &prost_reflect::FieldDescriptor) -> &str {
        self.comment(&field.parent_message().parent_file(), field.path())
    }

    /// The comment of an enumeration.
    pub fn of_enum(&self, of: &EnumDescriptor) -> &str {
        self.comment(&of.parent_file(), of.path())
    }

    /// The comment of an enumeration's value.
    pub fn of_value(&self, of: &prost_reflect::EnumValueDescriptor) -> &str {
        self.comment(&of.parent_enum().parent_file(), of.path())
    }

    /// Our files, by name.
    pub fn files(&self) -> Vec<FileDescriptor> {
        let ours = |f: &FileDescriptor| f.package_name().starts_with("bangban.");
        let mut files: Vec<_> = self.pool.files().filter(ours).collect();
        files.sort_by(|a, b| a.name().cmp(b.name()));
        files
    }

    /// Every method of ours.
    pub fn methods(&self) -> impl Iterator<Item = MethodDescriptor> + '_ {
        self.files()
            .into_iter()
            .flat_map(|f| f.services().collect::<Vec<_>>())
            .flat_map(|s| s.methods().collect::<Vec<_>>())
    }

    /// The method that a comment names as `Service.Method`.
    pub fn method(&self, name: &str) -> Option<MethodDescriptor> {
        self.methods()
            .find(|m| format!("{}.{}", m.parent_service().name(), m.name()) == name)
    }

    /// An enumeration.
    pub fn enumeration(&self, name: &str) -> EnumDescriptor {
        self.pool.get_enum_by_name(name).expect("an enumeration")
    }

    /// An option of our own or of protovalidate, where it is set.
    pub fn option(&self, options: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
        let extension: ExtensionDescriptor =
            self.pool.get_extension_by_name(name).expect("an extension");
        if !options.has_extension(&extension) {
            return None;
        }
        match options.get_extension(&extension).into_owned() {
            Value::Message(message) => Some(message),
            _ => None,
        }
    }
}

fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "proto") {
            files.push(path);
        }
    }
}

/// A comment without the space that follows `//`, and without what is meant for buf.
fn tidy(text: &str) -> String {
    let lines = text.lines().map(|l| l.strip_prefix(' ').unwrap_or(l));
    let lines: Vec<&str> = lines.filter(|l| !l.starts_with("buf:lint:")).collect();
    lines.join("\n").trim().to_owned()
}
