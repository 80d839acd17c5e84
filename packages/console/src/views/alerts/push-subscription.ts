import type { Json } from '../operation.ts'

/** base64url, as `applicationServerKey` takes it. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0))
}

/**
 * A subscription of this browser (Push API), as the server stores it.
 * @throws Error in words for people where the browser cannot, or the person did not want it
 */
export async function subscribeHere(key: string): Promise<{ readonly [key: string]: Json }> {
  if (!('serviceWorker' in navigator) || !('PushManager' in window)) throw new Error('This browser shows no push messages here. They need https, or localhost.')
  if ((await Notification.requestPermission()) !== 'granted')
    throw new Error('The browser was not allowed to show messages. Allow them for this site and try again.')
  const registration = await navigator.serviceWorker.register(new URL('push-worker.js', document.baseURI))
  await navigator.serviceWorker.ready
  const found = await registration.pushManager.getSubscription()
  const subscription = found ?? (await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(key) }))
  return JSON.parse(JSON.stringify(subscription)) as { readonly [key: string]: Json }
}
