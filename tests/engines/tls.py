"""A certificate authority of one test run, and servers' certificates of it."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Identity:
    """A server's files: its certificate with chain, its key, and the root that clients trust. All in PEM."""

    certificate: Path
    key: Path
    root: Path

    def server_context(self) -> ssl.SSLContext:
        """TLS as this server."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def issue(folder: Path, *names: str) -> Identity:
    """A new authority, and a certificate of it for host names or addresses, as files in the folder."""
    authority = trustme.CA()
    issued = authority.issue_cert(*names)
    identity = Identity(folder / "server.crt", folder / "server.key", folder / "root.pem")
    identity.certificate.write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(identity.key))
    authority.cert_pem.write_to_path(str(identity.root))
    identity.key.chmod(0o600)
    return identity
