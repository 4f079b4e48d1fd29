// SPDX-License-Identifier: Apache-2.0
// A real OpenID provider for the tests: `oidc-provider` with a few people and no forms. Who signs in is
// whom `/test/who?NAME` named last. Called as `node provider.mjs NODE_MODULES`; it prints `ready ISSUER`, and
// ends when its standard input does.
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const modules = process.argv[2];
const { Provider } = await import(pathToFileURL(`${modules}/oidc-provider/lib/index.js`));

const people = {
  eve: { preferred_username: "eve", groups: ["soc"] },
  ann: { preferred_username: "ann", groups: ["web", "others"] },
  bob: { preferred_username: "bob", groups: ["others"] },
};
let who = "eve";

const server = createServer();
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "lazaret",
      client_secret: "geheim",
      // Native: the port of a loopback address is not compared (RFC 8252).
      application_type: "native",
      redirect_uris: ["http://127.0.0.1/api/v1/sso/corp/callback"],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  cookies: { keys: ["of the tests"] },
  claims: { openid: ["sub"], profile: ["preferred_username"], groups: ["groups"] },
  scopes: ["openid", "profile", "groups"],
  features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_ctx, id) =>
    people[id] && { accountId: id, claims: async () => ({ sub: id, ...people[id] }) },
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope("openid profile groups");
    await grant.save();
    return grant;
  },
});

const answer = provider.callback();
server.on("request", async (request, response) => {
  const url = new URL(request.url, issuer);
  if (url.pathname === "/test/who") {
    who = url.search.slice(1);
    response.writeHead(204).end();
  } else if (url.pathname.startsWith("/interaction/")) {
    // A native client asks for consent each time; it is given.
    await provider.interactionFinished(request, response, { login: { accountId: who }, consent: {} });
  } else {
    answer(request, response);
  }
});

process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
console.log(`ready ${issuer}`);
