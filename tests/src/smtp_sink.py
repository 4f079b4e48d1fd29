# SPDX-License-Identifier: Apache-2.0
"""An SMTP server that writes every mail that it takes as a line of JSON.

Arguments: starttls | tls | none, user, password, certificate, key, and how many mails it refuses
first. Prints its port, then mails.
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

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


async def main():
    context = None
    if kind != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    options = {"authenticator": authenticate, "auth_required": bool(user), "auth_require_tls": kind == "starttls"}
    if kind == "starttls":
        options.update(tls_context=context, require_starttls=True)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Handler(), loop=loop, **options), "127.0.0.1", 0, ssl=context if kind == "tls" else None
    )
    say({"port": server.sockets[0].getsockname()[1]})
    async with server:
        # Ends with whoever started it.
        await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
