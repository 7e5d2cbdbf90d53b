// Logs in with the card, through the Web eID browser extension. The extension listens to window
// messages; this is the part of its protocol that a login needs.
"use strict";

(() => {
  const LIBRARY_VERSION = "2.0.0"; // of the message format; an older extension asks for an update
  const EXTENSION_LOAD_MS = 1000; // its script comes into the page a moment after the page's own
  const ACKNOWLEDGED_MS = 1000;
  const PROGRAM_START_MS = 5000;
  const PERSON_MS = 120_000;
  const REFUSALS = {
    ERR_WEBEID_USER_CANCELLED: "cancelled",
    ERR_WEBEID_USER_TIMEOUT: "timed-out",
    ERR_WEBEID_ACTION_TIMEOUT: "timed-out",
    ERR_WEBEID_EXTENSION_UNAVAILABLE: "no-extension",
    ERR_WEBEID_NATIVE_UNAVAILABLE: "no-program",
    ERR_WEBEID_VERSION_MISMATCH: "old-program",
    ERR_WEBEID_VERSION_INVALID: "old-program",
  };

  const button = document.getElementById("log-in");
  const state = document.getElementById("state");

  class Refused extends Error {
    constructor(location) {
      super(location);
      this.location = location;
    }
  }

  const refused = (code) => new Refused(`/refused/${REFUSALS[code] ?? "card-failed"}`);

  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  // Asks our own site; it answers a refusal with the place of a page about it.
  async function post(path, body) {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": button.dataset.csrf },
      body,
    });
    const answer = await response.json();
    if (!response.ok) throw new Refused(answer.location);
    return answer;
  }

  // Asks the extension for a token; it asks the native program, and that one asks the person.
  function authenticate(nonce) {
    const action = "web-eid:authenticate";
    return new Promise((resolve, reject) => {
      const end = (settle, value) => {
        clearTimeout(acknowledged);
        clearTimeout(answered);
        window.removeEventListener("message", receive);
        settle(value);
      };
      const fail = (code) => end(reject, refused(code));
      const receive = (event) => {
        if (event.source !== window || event.origin !== window.location.origin) return;
        const message = event.data;
        if (message?.action === `${action}-ack`) clearTimeout(acknowledged);
        if (message?.action === `${action}-success`) end(resolve, message);
        if (message?.action === `${action}-failure`) fail(message.error?.code);
      };
      const acknowledged = setTimeout(fail, ACKNOWLEDGED_MS, "ERR_WEBEID_EXTENSION_UNAVAILABLE");
      const answered = setTimeout(
        fail, ACKNOWLEDGED_MS + PROGRAM_START_MS + PERSON_MS, "ERR_WEBEID_ACTION_TIMEOUT",
      );
      window.addEventListener("message", receive);
      window.postMessage(
        {
          action,
          libraryVersion: LIBRARY_VERSION,
          challengeNonce: nonce,
          options: { lang: document.documentElement.lang, userInteractionTimeout: PERSON_MS },
        },
        window.location.origin,
      );
    });
  }

  async function logIn() {
    state.textContent = button.dataset.asking;
    const [{ nonce }] = await Promise.all([
      post("/challenge", ""),
      pause(EXTENSION_LOAD_MS - performance.now()),
    ]);
    state.textContent = button.dataset.atTheCard;
    const { unverifiedCertificate, algorithm, signature, format, appVersion } =
      await authenticate(nonce);
    state.textContent = button.dataset.checking;
    const token = { unverifiedCertificate, algorithm, signature, format, appVersion };
    const { location } = await post("/login", JSON.stringify({ nonce, token: JSON.stringify(token) }));
    return location;
  }

  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      window.location.assign(await logIn());
    } catch (error) {
      window.location.assign(error.location ?? "/refused/card-failed");
    }
  });

  // Back from another page: the button must work again.
  window.addEventListener("pageshow", () => {
    button.disabled = false;
    state.textContent = "";
  });
})();
