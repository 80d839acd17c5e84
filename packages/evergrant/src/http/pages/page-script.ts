/**
 * The one script of the pages for people. The token of a mailed link stands behind the `#`, which no server sees: it is moved into a form and out of
 * the address. Passkeys exist in scripts alone; where a browser has none, their button stays hidden.
 */
export const PAGE_SCRIPT = `'use strict';
(() => {
  function carry() {
    const fragment = location.hash.slice(1);
    const carrier = document.querySelector('form[data-fragment]');
    if (carrier === null || !/^[A-Za-z0-9_-]{43}$/.test(fragment)) return;
    history.replaceState(null, '', location.pathname + location.search);
    carrier.elements.namedItem('token').value = fragment;
    carrier.submit();
  }
  carry();
  // A link that is pasted over its own page does not load it again.
  addEventListener('hashchange', carry);
  for (const form of document.querySelectorAll('form[data-passkey]')) {
    if (typeof PublicKeyCredential !== 'function' || typeof PublicKeyCredential.parseRequestOptionsFromJSON !== 'function') continue;
    form.hidden = false;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const button = form.querySelector('button');
      const told = form.querySelector('[role=alert]');
      button.disabled = true;
      told.textContent = '';
      use(form).catch((error) => {
        button.disabled = false;
        told.textContent = error instanceof Refused ? error.message : 'The passkey was not used. Try again, or choose another way.';
      });
    });
  }
  class Refused extends Error {}
  async function use(form) {
    const answer = await fetch(form.dataset.options, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams({ step: 'options' }) });
    const body = await answer.json();
    if (!answer.ok) throw new Refused(body.message ?? 'That did not work. Try again.');
    const credential = form.dataset.passkey === 'create'
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(body.options) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(body.options) });
    form.elements.namedItem('ticket').value = body.ticket;
    form.elements.namedItem('passkey').value = JSON.stringify(credential.toJSON());
    form.submit();
  }
})();
`
