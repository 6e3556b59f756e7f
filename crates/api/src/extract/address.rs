//! From which address a request comes. Forwarding headers count only from proxies that the operator trusts.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use ipnet::IpNet;

/// The proxies whose word counts.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(
    /// Their networks.
    pub Vec<IpNet>,
);

impl TrustedProxies {
    /// Reads networks (`10.0.0.0/8`) and single addresses.
    ///
    /// # Errors
    ///
    /// Names the one that is neither.
    pub fn parse(networks: &[String]) -> Result<TrustedProxies, String> {
        let read = |text: &String| {
            let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            network.map_err(|_| format!("trusted_proxies: `{text}` is no network (such as 10.0.0.0/8) and no address"))
        };
        networks.iter().map(read).collect::<Result<_, _>>().map(TrustedProxies)
    }

    /// The address of whoever sent the request: what a trusted proxy says it is (`X-Real-IP` first, else the last address in
    /// `X-Forwarded-For` that is no trusted proxy), or else the address that the connection comes from.
    pub fn client_of(&self, parts: &Parts) -> IpAddr {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip().to_canonical());
        if !self.trust(peer) {
            return peer;
        }
        real(parts).or_else(|| self.forwarded(parts)).unwrap_or(peer)
    }

    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The nearest address on the way here that is none of the trusted proxies.
    fn forwarded(&self, parts: &Parts) -> Option<IpAddr> {
        let headers: Vec<&str> = parts.headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
        let hops = headers.iter().rev().flat_map(|header| header.rsplit(','));
        let mut known = hops.map_while(|hop| hop.trim().parse::<IpAddr>().ok()).map(|address| address.to_canonical());
        known.find(|address| !self.trust(*address))
    }
}

fn real(parts: &Parts) -> Option<IpAddr> {
    let text = parts.headers.get("x-real-ip")?.to_str().ok()?;
    text.trim().parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn client(peer: &str, headers: &[(&str, &str)]) -> String {
        let mut request = Request::builder().uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
        let proxies = TrustedProxies::parse(&["10.0.0.0/8".to_owned(), "::1".to_owned()]).unwrap();
        proxies.client_of(&parts).to_string()
    }

    #[test]
    fn what_is_no_network_is_named() {
        let error = TrustedProxies::parse(&["10.0.0.0/8".to_owned(), "nearby".to_owned()]).unwrap_err();
        assert!(error.contains("`nearby`"), "{error}");
    }

    #[test]
    fn strangers_are_not_believed() {
        assert_eq!(client("192.0.2.1", &[("x-real-ip", "198.51.100.7"), ("x-forwarded-for", "198.51.100.8")]), "192.0.2.1");
    }

    #[test]
    fn proxies_are_believed_as_far_as_they_are_trusted() {
        let table: [(&[(&str, &str)], &str); 7] = [
            (&[], "10.0.0.1"),
            (&[("x-real-ip", "198.51.100.7"), ("x-forwarded-for", "198.51.100.8")], "198.51.100.7"),
            (&[("x-real-ip", "nonsense"), ("x-forwarded-for", "198.51.100.8")], "198.51.100.8"),
            (&[("x-forwarded-for", "203.0.113.9, 198.51.100.8, 10.1.1.1")], "198.51.100.8"),
            (&[("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "198.51.100.8")], "198.51.100.8"),
            (&[("x-forwarded-for", "198.51.100.8, nonsense")], "10.0.0.1"),
            (&[("x-forwarded-for", "::ffff:198.51.100.8")], "198.51.100.8"),
        ];
        for (headers, expected) in table {
            assert_eq!(client("10.0.0.1", headers), expected, "{headers:?}");
        }
        assert_eq!(client("::ffff:10.0.0.1", &[("x-real-ip", "2001:db8::1")]), "2001:db8::1");
    }
}
