/**
 * Drives the real better-auth client: reads one JSON order per line, writes one JSON answer per line.
 *
 * {"open": NAME, "options": {baseURL, origin?, cookies?, headers?, bearer?}}   a browser with a client in it
 * {"browser": NAME, "call": "signIn.email", "arguments": [...]}                 a call of that client
 * {"browser": NAME, "fetch": "/get-session", "init": {...}}                     a request by the browser's own fetch
 *
 * An answer has the result, or what was thrown, and every exchange on the wire: what was sent and what came back,
 * to the byte. Dates are told as {"$date": milliseconds}, so that a text is never taken for a date.
 */
import { createInterface } from "node:readline";
import { createAuthClient } from "better-auth/client";

const browsers = new Map();

class Browser {
  constructor({ baseURL, origin = null, cookies = true, headers = {}, bearer = null }) {
    Object.assign(this, { baseURL, origin, cookies, headers, jar: new Map(), exchanges: [] });
    const fetchOptions = { customFetchImpl: (url, init) => this.fetch(url, init) };
    if (bearer !== null) fetchOptions.auth = { type: "Bearer", token: () => bearer };
    this.client = createAuthClient({ baseURL, fetchOptions });
  }

  async fetch(url, init = {}) {
    const request = new Request(url, { ...init, redirect: "manual" });
    for (const [name, value] of Object.entries(this.headers)) request.headers.set(name, value);
    if (this.origin !== null) request.headers.set("origin", this.origin);
    if (this.cookies && this.jar.size > 0) {
      request.headers.set("cookie", [...this.jar].map(([name, value]) => `${name}=${value}`).join("; "));
    }
    const response = await fetch(request);
    const text = await response.clone().text();
    const setCookies = response.headers.getSetCookie();
    if (this.cookies) setCookies.forEach((line) => this.keep(line));
    this.exchanges.push({
      method: request.method,
      url: request.url,
      sent: Object.fromEntries(request.headers),
      status: response.status,
      headers: Object.fromEntries(response.headers),
      setCookies,
      text,
    });
    return response;
  }

  keep(line) {
    const [pair, ...attributes] = line.split("; ");
    const name = pair.slice(0, pair.indexOf("="));
    if (attributes.includes("Max-Age=0")) this.jar.delete(name);
    else this.jar.set(name, pair.slice(name.length + 1));
  }

  async call(path, given) {
    const method = path.split(".").reduce((client, step) => client[step], this.client);
    return method(...given);
  }
}

function told(result) {
  return JSON.stringify(result, function (key, value) {
    return this[key] instanceof Date ? { $date: this[key].getTime() } : value;
  });
}

async function obeyed(order) {
  if (order.open) {
    browsers.set(order.open, new Browser(order.options));
    return {};
  }
  const browser = browsers.get(order.browser);
  browser.exchanges = [];
  try {
    const result = order.call
      ? await browser.call(order.call, order.arguments)
      : { status: (await browser.fetch(browser.baseURL + order.fetch, order.init)).status };
    return { result, exchanges: browser.exchanges, jar: Object.fromEntries(browser.jar) };
  } catch (error) {
    return { thrown: String(error), exchanges: browser.exchanges, jar: Object.fromEntries(browser.jar) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(told(await obeyed(JSON.parse(line))));
}
