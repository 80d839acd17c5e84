import { createPrivateKey, X509Certificate } from 'node:crypto'

/** What is wrong with a client certificate and its key, both PEM in one text, as the end of a sentence; null when nothing is. */
export function certificateProblem(pem: string): string | null {
  const certificate = parsed(() => new X509Certificate(pem))
  if (certificate === null) return 'holds no certificate (BEGIN CERTIFICATE)'
  const key = parsed(() => createPrivateKey(pem))
  if (key === null) return 'holds no private key that can be read (BEGIN PRIVATE KEY, without a passphrase)'
  return certificate.checkPrivateKey(key) ? null : 'holds a key that does not belong to its first certificate'
}

function parsed<Value>(read: () => Value): Value | null {
  try {
    return read()
  } catch {
    return null
  }
}
