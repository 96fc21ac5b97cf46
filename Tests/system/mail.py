"""Our SMTP client against aiosmtpd (PyPI): plain, STARTTLS, implicit TLS, AUTH LOGIN and PLAIN; what arrives is what was sent.

    swift build --build-tests && python3 Tests/system/mail.py
"""

import email
import email.policy
import os
import re
import socket
import ssl
import subprocess
import sys
import tempfile

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PORT = int(os.environ.get("MAIL_PORT", "21390"))


class Sink:
    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content, bool(session.ssl), bool(session.authenticated)))
        return "250 OK"


class TLSController(Controller):
    """TLS from the first byte on. aiosmtpd tries whether it is up with the server's own context, which cannot be a client's."""

    def _trigger_server(self):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with socket.create_connection((self.hostname, self.port), 5) as plain, context.wrap_socket(plain) as secure:
            secure.recv(100)


def certificate():
    """The one that the tests trust."""
    text = open(os.path.join(ROOT, "Tests/Loopback/TestCertificate.swift")).read()
    path = os.path.join(tempfile.mkdtemp(prefix="mail-"), "pem")
    with open(path, "w") as file:
        for kind in ("PRIVATE KEY", "CERTIFICATE"):
            block = re.search(f"-----BEGIN {kind}-----.*?-----END {kind}-----", text, re.S).group(0)
            file.write("\n".join(line.strip() for line in block.split("\n")) + "\n")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def check(name, mails, secure, authenticated):
    assert len(mails) == 1, (name, len(mails))
    sender, recipients, content, was_secure, was_authenticated = mails[0]
    assert sender == "am@example.org" and recipients == ["ops@example.org", "two@example.org"], (sender, recipients)
    assert was_secure == secure and was_authenticated == authenticated, (was_secure, was_authenticated)
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert message["Bcc"] is None
    assert "Dówn <&>" in str(message["X-Name"]), message["X-Name"]
    assert str(message["Subject"]).startswith("[FIRING:1] Dówn"), message["Subject"]
    assert message["References"] == message["In-Reply-To"]
    plain, page = message.get_payload()
    text = plain.get_content().replace("\r\n", "\n")
    assert text == "firing é = a line of more than seventy-six characters, to see that it comes through as it was\n.\n.dot\n", repr(text)
    assert "alertname = Dówn &lt;&amp;&gt;" in page.get_content()
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))


def main():
    context = certificate()
    strict = dict(tls_context=context, require_starttls=True, auth_required=True)
    cases = [
        ("plain", {}, dict(), "", False, False),
        ("starttls and login", dict(strict), dict(), "starttls", True, True),
        ("starttls and plain", dict(strict, auth_exclude_mechanism=["LOGIN"]), dict(), "starttls", True, True),
        # aiosmtpd notes TLS only where STARTTLS began it; here nothing else can talk to it.
        ("implicit tls", {}, dict(ssl_context=context), "implicit", False, False),
    ]
    for number, (name, smtp, controller, tls, secure, authenticated) in enumerate(cases):
        sink = Sink()
        if authenticated:
            smtp["authenticator"] = lambda server, session, envelope, mechanism, data: AuthResult(
                success=data.login == b"user" and data.password == b"pass-word"
            )
        server = (TLSController if controller else Controller)(sink, hostname="127.0.0.1", port=PORT + number, **controller, **smtp)
        server.start()
        try:
            environment = dict(os.environ, MINPROM_TEST_SMTP=f"localhost:{PORT + number}", MINPROM_TEST_SMTP_TLS=tls)
            if authenticated:
                environment.update(MINPROM_TEST_SMTP_USER="user", MINPROM_TEST_SMTP_PASSWORD="pass-word")
            command = ["swift", "test", "--skip-build", "--filter", "RealMailServerTests"]
            result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
            if result.returncode != 0:
                print(result.stdout[-3000:], result.stderr[-2000:])
                sys.exit(f"{name}: our side failed")
        finally:
            server.stop()
        check(name, sink.mails, secure, authenticated)
        print(f"{name}: ok")


if __name__ == "__main__":
    main()
