//! The HTTP server: its socket and its connections.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use super::access_log::AccessLog;
use super::exchange::{Service, answer};
use super::shape::{Connection, Shaper};

/// A running server. It stops, and cuts its connections, when this is dropped.
#[derive(Debug)]
pub struct Endpoint {
    url: String,
    server: AbortHandle,
}

impl Endpoint {
    /// `http://127.0.0.1:{port}`: the SDKs take path-style addressing by themselves where the host is an IP address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Listens on a free port of 127.0.0.1.
pub(super) async fn serve(
    service: Service,
    log: Arc<AccessLog>,
    shaper: Arc<Shaper>,
) -> io::Result<Endpoint> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let server = tokio::spawn(accept(listener, service, log, shaper)).abort_handle();
    Ok(Endpoint { url, server })
}

async fn accept(
    listener: TcpListener,
    service: Service,
    log: Arc<AccessLog>,
    shaper: Arc<Shaper>,
) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let shape = Connection::new(&shaper);
                    connections.spawn(connection(stream, peer, service.clone(), Arc::clone(&log), shape));
                }
                // Out of file descriptors, say: it passes when a connection ends.
                Err(error) => {
                    tracing::warn!(%error, "S3 cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    service: Service,
    log: Arc<AccessLog>,
    shape: Connection,
) {
    stream.set_nodelay(true).ok();
    let requests =
        service_fn(move |request| answer(service.clone(), Arc::clone(&log), shape.clone(), peer, request));
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), requests).await;
    if let Err(error) = served {
        tracing::debug!(%error, "a client of S3 hung up");
    }
}
