// Between the extension and the native host: one host for each request, which speaks first.
"use strict";

const HOST = "eu.webeid";
const VERSION = 2;

chrome.runtime.onConnect.addListener((page) => {
  page.onMessage.addListener((request) => ask(page, request));
});

function ask(page, request) {
  const host = chrome.runtime.connectNative(HOST);
  let nativeApp = null;

  const answer = (message) => {
    page.postMessage(message);
    host.disconnect();
  };
  page.onDisconnect.addListener(() => host.disconnect());
  host.onDisconnect.addListener(() => {
    answer({ error: { code: "ERR_WEBEID_NATIVE_UNAVAILABLE", message: chrome.runtime.lastError?.message ?? "" } });
  });
  host.onMessage.addListener((message) => {
    if (nativeApp !== null) {
      answer(request.action === "web-eid:status" ? { nativeApp } : message);
      return;
    }
    nativeApp = message.version;
    if (parseInt(nativeApp, 10) < VERSION) {
      answer({ error: { code: "ERR_WEBEID_VERSION_MISMATCH", message: nativeApp } });
      return;
    }
    host.postMessage(command(request, page.sender.origin));
  });
}

function command(request, origin) {
  const lang = request.options?.lang;
  const common = lang ? { origin, lang } : { origin };
  switch (request.action) {
    case "web-eid:authenticate":
      return { command: "authenticate", arguments: { challengeNonce: request.challengeNonce, ...common } };
    case "web-eid:get-signing-certificate":
      return { command: "get-signing-certificate", arguments: common };
    case "web-eid:sign": {
      const { certificate, hash, hashFunction } = request;
      return { command: "sign", arguments: { certificate, hash, hashFunction, ...common } };
    }
    default:
      return { command: "quit", arguments: {} };
  }
}
