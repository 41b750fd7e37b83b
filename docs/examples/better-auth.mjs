/**
 * An application of Node with the public better-auth client, on a server of ours.
 *
 *     npm install better-auth
 *     ACE_URL=http://127.0.0.1:8000 node better-auth.mjs
 *
 * In a browser none of `cookieKeepingFetch` is needed: it keeps cookies and tells the page's origin by itself.
 */
import { createAuthClient } from "better-auth/client";

const server = process.env.ACE_URL ?? "http://127.0.0.1:8000";
const origin = process.env.APP_ORIGIN ?? server; // one of ACE_TRUSTED_ORIGINS, or the server's own
const email = `student-${Date.now()}@example.org`;
const password = "practise-every-day";

/** What a browser does and Node's fetch does not: keeps cookies, sends them back, says where it comes from. */
function cookieKeepingFetch() {
  const cookies = new Map();
  return async (url, init = {}) => {
    const request = new Request(url, init);
    request.headers.set("origin", origin);
    if (cookies.size > 0) request.headers.set("cookie", [...cookies].map((pair) => pair.join("=")).join("; "));
    const response = await fetch(request);
    for (const line of response.headers.getSetCookie()) {
      const [pair] = line.split(";");
      const name = pair.slice(0, pair.indexOf("="));
      if (line.includes("Max-Age=0")) cookies.delete(name);
      else cookies.set(name, pair.slice(name.length + 1));
    }
    return response;
  };
}

/** The data of a call, or an error that names what was refused. */
async function must(call) {
  const { data, error } = await call;
  if (error) throw new Error(`${error.status} ${error.code ?? ""} ${error.message}`);
  return data;
}

const browser = cookieKeepingFetch();
const auth = createAuthClient({ baseURL: server, fetchOptions: { customFetchImpl: browser } });

const { user } = await must(auth.signUp.email({ name: "Ada", email, password }));
console.log("signed up as", user.email);

const { session } = await must(auth.getSession());
console.log("the session lasts until", session.expiresAt.toISOString());

await must(auth.updateUser({ name: "Ada Lovelace" }));
await must(auth.changePassword({ currentPassword: password, newPassword: `${password}-on` }));
console.log("devices:", (await must(auth.listSessions())).length);

// The session opens what Ace has beside accounts, too: https://…/docs tells all of it.
const me = await browser(`${server}/student/auth/me`);
console.log("Ace knows", (await me.json()).user.name);

await must(auth.signOut());
console.log("signed out:", (await must(auth.getSession())) === null);

const wrong = await auth.signIn.email({ email, password });
console.log("the old password:", wrong.error.status, wrong.error.code);
