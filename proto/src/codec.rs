//! The codec of all our services: prost, and behind the decoder the field rules of the contract.
//!
//! A request that breaks one never reaches a handler; the refusal names each field, in Chinese and English.

use std::marker::PhantomData;

use prost::Message;
use tonic::{
    Code, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};
use tonic_types::{
    BadRequest, ErrorDetail, ErrorInfo, FieldViolation, LocalizedMessage, StatusExt as _,
};

use crate::Checked;

/// Most field violations that one refusal lists, so that its details stay small (under 6 KB).
pub const MAX_VIOLATIONS: usize = 20;

/// Domain of every `google.rpc.ErrorInfo` of ours.
pub const ERROR_DOMAIN: &str = "bangban";

/// Prost with validation.
#[derive(Debug, Clone, Copy)]
pub struct ValidatingCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for ValidatingCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for ValidatingCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Checked + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = CheckingDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder(PhantomData)
    }

    fn decoder(&mut self) -> Self::Decoder {
        CheckingDecoder(PhantomData)
    }
}

/// Writes a message.
#[derive(Debug, Clone, Copy)]
pub struct ProstEncoder<T>(PhantomData<T>);

impl<T: Message> Encoder for ProstEncoder<T> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, item: T, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        item.encode(buffer)
            .map_err(|e| Status::internal(e.to_string()))
    }
}

/// Reads a message and checks it.
#[derive(Debug, Clone, Copy)]
pub struct CheckingDecoder<U>(PhantomData<U>);

impl<U: Message + Checked + Default> Decoder for CheckingDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        let item = U::decode(buffer).map_err(|e| {
            invalid(
                "MESSAGE_UNREADABLE",
                "消息无法解析",
                &format!("the message cannot be read: {e}"),
                Vec::new(),
            )
        })?;
        item.check().map_err(|e| from_violations(&e))?;
        Ok(Some(item))
    }
}

fn from_violations(error: &prost_protovalidate::ValidationError) -> Status {
    let fields: Vec<FieldViolation> = error
        .violations()
        .iter()
        .take(MAX_VIOLATIONS)
        .map(|v| FieldViolation::new(v.field_path(), v.message()))
        .collect();
    let names = fields
        .iter()
        .map(|f| f.field.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let first = fields
        .first()
        .map(|f| f.description.clone())
        .unwrap_or_default();
    invalid(
        "FIELD_INVALID",
        &format!("字段不符合要求：{names}"),
        &format!("fields break their rules: {names} ({first})"),
        fields,
    )
}

/// INVALID_ARGUMENT with one `ErrorInfo`, the fields, and a sentence in each language.
#[must_use]
pub fn invalid(reason: &str, zh: &str, en: &str, fields: Vec<FieldViolation>) -> Status {
    let mut details = vec![
        ErrorDetail::ErrorInfo(ErrorInfo::new(
            reason,
            ERROR_DOMAIN,
            std::collections::HashMap::new(),
        )),
        ErrorDetail::LocalizedMessage(LocalizedMessage::new("zh-CN", zh)),
        ErrorDetail::LocalizedMessage(LocalizedMessage::new("en", en)),
    ];
    if !fields.is_empty() {
        details.push(ErrorDetail::BadRequest(BadRequest::new(fields)));
    }
    Status::with_error_details_vec(Code::InvalidArgument, en, details)
}
