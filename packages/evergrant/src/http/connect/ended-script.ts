/**
 * On the page that ends a flow: the window that opened it may be on our own origin and waits for this message; every other one asks the server. A browser
 * closes only windows that a script opened, so whoever came by a link keeps the page.
 */
export const ENDED_SCRIPT = `'use strict'
const sessionId = document.querySelector('main').dataset.session
try {
  const channel = new BroadcastChannel('evergrant-connect')
  channel.postMessage({ sessionId })
  channel.close()
} catch {
  // An old browser: the server knows what became of the session.
}
window.close()
`
