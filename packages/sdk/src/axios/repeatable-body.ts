import { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios'

/** What axios hands to an adapter, as far as it can be read twice. */
type RepeatableConfig = { readonly once: boolean; readonly config: InternalAxiosRequestConfig }

/** A Node stream; the members besides `pipe` are those of the `form-data` package. */
interface StreamingForm {
  pipe(): unknown
  getBuffer?(): Uint8Array
  getHeaders(): Record<string, string>
}

/**
 * A stream is empty after the first send: a second one would send nothing and look like success. The `form-data` package streams, too, but a form of
 * texts and buffers is in memory already: it is written out once, under its own boundary, and then sent as often as needed.
 */
export function repeatable(config: InternalAxiosRequestConfig): RepeatableConfig {
  const form: unknown = config.data
  if (!isStream(form)) return { once: false, config }
  try {
    const data = form.getBuffer?.()
    if (data === undefined) return { once: true, config }
    return { once: false, config: { ...config, data, headers: new AxiosHeaders(config.headers).set(form.getHeaders()) } as InternalAxiosRequestConfig }
  } catch {
    // One of its parts is a stream.
    return { once: true, config }
  }
}

/** Node streams, `form-data` forms among them, and web streams. */
export function isStream(data: unknown): data is StreamingForm {
  return typeof (data as Partial<StreamingForm> | null)?.pipe === 'function' || data instanceof ReadableStream
}
