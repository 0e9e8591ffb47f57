//! What stands between hyper and the socket: bodies written piece by piece, and connections that break off.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::faults::{Cut, Delivery};
use crate::ledger::Served;

/// Says how a connection ends: with RST if `reset` was called, else with FIN.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fuse(Arc<AtomicBool>);

impl Fuse {
    pub fn reset(&self) {
        self.0.store(true, SeqCst);
    }
}

/// A socket whose end can be a reset.
pub(crate) struct Wire {
    socket: TcpStream,
    fuse: Fuse,
}

impl Wire {
    pub fn new(socket: TcpStream, fuse: Fuse) -> Self {
        Self { socket, fuse }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.fuse.0.load(SeqCst)
            && let Err(error) = self.socket.set_zero_linger()
        {
            tracing::warn!(%error, "cannot reset a connection");
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.fuse.0.load(SeqCst) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.socket).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

/// A part of a body.
#[derive(Debug)]
pub(crate) enum Chunk {
    /// Bytes, and what they deliver whole. `alone`: in a write of their own.
    Bytes { bytes: Bytes, alone: bool, served: Served },
    /// The connection breaks off.
    Cut(Cut),
}

impl Chunk {
    pub fn alone(bytes: impl Into<Bytes>) -> Self {
        Self::Bytes { bytes: bytes.into(), alone: true, served: Served::default() }
    }
}

/// The body of an answer.
pub(crate) enum Body {
    /// All at once.
    Whole(Bytes, Served),
    /// As it comes.
    Chunks { chunks: mpsc::Receiver<Chunk>, fuse: Fuse, flush: bool, stalled: bool },
}

impl Body {
    pub fn chunks(chunks: mpsc::Receiver<Chunk>, fuse: Fuse) -> Self {
        Self::Chunks { chunks, fuse, flush: false, stalled: false }
    }

    /// The same bytes, badly delivered. Only a body delivered to its end counts as served.
    pub fn delivered(bytes: Bytes, served: Served, how: Delivery, fuse: Fuse) -> Self {
        let (sender, chunks) = mpsc::channel(1);
        tokio::spawn(async move {
            let end = how.after.unwrap_or(bytes.len()).min(bytes.len());
            let step = if how.bytes == 0 { end.max(1) } else { how.bytes };
            let mut served = Some(served);
            for start in (0..end).step_by(step) {
                let stop = (start + step).min(end);
                let served = if stop == bytes.len() { served.take() } else { None };
                let bytes = bytes.slice(start..stop);
                if sender
                    .send(Chunk::Bytes { bytes, alone: true, served: served.unwrap_or_default() })
                    .await
                    .is_err()
                {
                    return;
                }
                if how.pause_ms > 0 {
                    tokio::time::sleep(Duration::from_millis(how.pause_ms)).await;
                }
            }
            if how.after.is_some() && sender.send(Chunk::Cut(how.cut)).await.is_ok() {
                sender.closed().await;
            }
        });
        Self::chunks(chunks, fuse)
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut *self {
            Self::Whole(bytes, served) => {
                served.count();
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Self::Chunks { chunks, fuse, flush, stalled } => {
                if *stalled {
                    return Poll::Pending;
                }
                // hyper writes out what it holds when a body has nothing to give: so it has nothing, once.
                if std::mem::take(flush) {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                match ready!(chunks.poll_recv(context)) {
                    None => Poll::Ready(None),
                    Some(Chunk::Bytes { bytes, alone, mut served }) => {
                        *flush = alone;
                        served.count();
                        Poll::Ready(Some(Ok(Frame::data(bytes))))
                    }
                    Some(Chunk::Cut(cut)) => {
                        match cut {
                            Cut::Eof => {}
                            Cut::Reset => fuse.reset(),
                            Cut::Stall => {
                                *stalled = true;
                                return Poll::Pending;
                            }
                        }
                        Poll::Ready(Some(Err(io::Error::new(
                            io::ErrorKind::ConnectionAborted,
                            "cut on request",
                        ))))
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes, _) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes, _) => SizeHint::with_exact(bytes.len() as u64),
            Self::Chunks { .. } => SizeHint::default(),
        }
    }
}
