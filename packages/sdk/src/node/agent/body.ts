/** Sent as it is read, so that it can be sent once. */
export function isStream(body: RequestInit['body']): boolean {
  if (body === undefined || body === null || typeof body === 'string') return false
  return !(body instanceof ArrayBuffer || ArrayBuffer.isView(body) || body instanceof Blob || body instanceof URLSearchParams || body instanceof FormData)
}
