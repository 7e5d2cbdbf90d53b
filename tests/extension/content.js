// Between a page and the extension: what web-eid.js posts into the window goes on, the answer comes back.
"use strict";

const REQUESTS = ["status", "authenticate", "get-signing-certificate", "sign"].map((name) => `web-eid:${name}`);

window.addEventListener("message", (event) => {
  const action = event.data?.action;
  if (event.source !== window || !REQUESTS.includes(action)) return;

  const say = (message) => window.postMessage(message, event.origin);
  say({ action: `${action}-ack` });

  // A port, and not one message: it breaks when the page goes, and so tells the extension.
  const port = chrome.runtime.connect();
  port.onMessage.addListener((answer) => {
    const outcome = answer.error ? "failure" : "success";
    say({ ...answer, action: `${action}-${outcome}` });
    port.disconnect();
  });
  port.postMessage(event.data);
});
