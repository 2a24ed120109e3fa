//! A long answer in slices: the framework copies what it is given into the buffer of the
//! connection, and a slice at a time fits there.

use actix_web::{
    HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    web::Bytes,
};
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

/// Bytes of a slice: the framework asks for the next when this much has left.
const SLICE: usize = 16 * 1024;

/// Bytes that are handed over slice by slice.
#[derive(Debug)]
struct Sliced(Bytes);

impl MessageBody for Sliced {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0.len() as u64)
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let rest = &mut self.get_mut().0;
        if rest.is_empty() {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(Ok(rest.split_to(rest.len().min(SLICE)))))
    }
}

/// The same answer, its body in slices where it is long.
pub fn sliced(response: HttpResponse<BoxBody>) -> HttpResponse<BoxBody> {
    response.map_body(|_, body| match body.size() {
        BodySize::Sized(bytes) if bytes > SLICE as u64 => match body.try_into_bytes() {
            Ok(bytes) => BoxBody::new(Sliced(bytes)),
            Err(body) => body,
        },
        _ => body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::poll_fn;

    // breaks: hand over all that is left in `poll_next`
    #[actix_web::test]
    async fn a_long_answer_goes_in_slices_and_is_whole() {
        let text: Vec<u8> = (0..SLICE * 2 + 7).map(|at| (at % 251) as u8).collect();
        let response = sliced(HttpResponse::Ok().body(text.clone()));
        let mut body = Box::pin(response.into_body());
        assert_eq!(body.size(), BodySize::Sized(text.len() as u64));
        let mut slices = Vec::new();
        while let Some(slice) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
            slices.push(slice.expect("bytes are there"));
        }
        assert_eq!(slices.iter().map(Bytes::len).collect::<Vec<_>>(), [SLICE, SLICE, 7]);
        assert_eq!(slices.concat(), text);
    }
}
