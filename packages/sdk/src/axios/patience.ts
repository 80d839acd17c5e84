import { AxiosError, CanceledError, type InternalAxiosRequestConfig } from 'axios'

/** How long one caller waits, counted from when it asked and not from when its request is sent. */
export interface Patience {
  /** Aborts when the caller gives up or its `timeout` is over. */
  readonly signal: AbortSignal
  /** What is left of `timeout` in milliseconds, at least 1; 0 when there is none, as axios writes it. */
  remainingMs(): number
  /** The error that axios would have made of this end, once `signal` is aborted. */
  end(): AxiosError
  /** The caller has its answer. */
  stop(): void
}

export function patienceOf(config: InternalAxiosRequestConfig): Patience {
  const { signal, cancelToken, timeout = 0, transitional } = config
  const controller = new AbortController()
  const startedAt = performance.now()
  let late = false
  const giveUp = (): void => controller.abort()
  if (signal?.aborted || cancelToken?.reason) giveUp()
  signal?.addEventListener?.('abort', giveUp)
  cancelToken?.subscribe(giveUp)
  const timer =
    timeout > 0
      ? setTimeout(() => {
          late = true
          giveUp()
        }, timeout)
      : undefined
  return {
    signal: controller.signal,
    remainingMs: () => (timeout > 0 ? Math.max(1, Math.ceil(timeout - (performance.now() - startedAt))) : 0),
    end: () =>
      late
        ? new AxiosError(timeoutMessage(config), transitional?.clarifyTimeoutError ? AxiosError.ETIMEDOUT : AxiosError.ECONNABORTED, config)
        : new CanceledError(cancelToken?.reason?.message, config),
    stop: () => {
      clearTimeout(timer)
      signal?.removeEventListener?.('abort', giveUp)
      // One token may belong to a whole page, and to all requests of its life.
      cancelToken?.unsubscribe(giveUp)
    },
  }
}

export function timeoutMessage({ timeout, timeoutErrorMessage }: InternalAxiosRequestConfig): string {
  return timeoutErrorMessage || `timeout of ${timeout}ms exceeded`
}

/** `work`, unless the caller gives up before: at once, and without stopping the work, which others wait for, too. */
export async function whilePatient<Result>(config: InternalAxiosRequestConfig, work: Promise<Result>): Promise<Result> {
  const patience = patienceOf(config)
  try {
    return await Promise.race([
      work,
      new Promise<never>((_resolve, reject) => {
        const leave = (): void => reject(patience.end())
        if (patience.signal.aborted) leave()
        patience.signal.addEventListener('abort', leave)
      }),
    ])
  } finally {
    patience.stop()
  }
}
