# SPDX-License-Identifier: Apache-2.0
"""An SMTP server that writes every mail that it takes as a line of JSON.

Arguments: starttls | tls | none, user, password, certificate, key, and the largest number of recipients' mails
that it refuses first. Prints its port, then mails.
"""

import json
import ssl
import sys
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

kind, user, password, certificate, key, refused = sys.argv[1:7]
refused = int(refused)


def say(value):
    print(json.dumps(value), flush=True)


class Handler:
    async def handle_DATA(self, server, session, envelope):
        global refused
        if refused > 0:
            refused -= 1
            return "451 not now"
        say(
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "data": envelope.content.decode("utf-8", "replace"),
                "tls": session.ssl is not None,
                "user": session.auth_data.decode() if session.authenticated else "",
            }
        )
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    good = data.login.decode() == user and data.password.decode() == password
    return AuthResult(success=good, handled=False, auth_data=data.login)


context = None
if kind != "none":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
options = {"authenticator": authenticate, "auth_required": bool(user), "auth_require_tls": kind == "starttls"}
if kind == "starttls":
    options.update(tls_context=context, require_starttls=True)
elif kind == "tls":
    options.update(ssl_context=context)
controller = Controller(Handler(), hostname="127.0.0.1", port=0, **options)


# The library connects to its own port to see that it runs; the port is not known before.
controller._trigger_server = lambda: None
controller.start()
say({"port": controller.server.sockets[0].getsockname()[1]})
while sys.stdin.readline():
    time.sleep(0)
controller.stop()
