import { AxiosError, AxiosHeaders, type AxiosInstance, type AxiosRequestConfig, type InternalAxiosRequestConfig } from 'axios'
import { whilePatient } from './patience.ts'
import { isStream } from './repeatable-body.ts'

/** The options of axios-auth-refresh 5, name by name. */
export interface AxiosAuthRefreshOptions {
  /** Answers that ask for a refresh; `[401]`. */
  statusCodes?: number[]
  /** Decides instead of `statusCodes`. */
  shouldRefresh?(error: AxiosError): boolean
  /** Sends the second time; the instance itself by default. */
  retryInstance?: AxiosInstance
  /** Also after an answer that CORS hides (status 0). */
  interceptNetworkError?: boolean
  /** Accepted and without effect: one refresh at a time, and no request is dropped, in either case. */
  deduplicateRefresh?: boolean
  /** Sees each config before it is sent after a refresh. */
  onRetry?: (requestConfig: InternalAxiosRequestConfig) => InternalAxiosRequestConfig | Promise<InternalAxiosRequestConfig>
  /** 0 switches the refresh off. A request is sent twice at most, whatever the number. */
  maxRetries?: number
}

export interface AxiosAuthRefreshRequestConfig extends AxiosRequestConfig {
  skipAuthRefresh?: boolean
}

/** The failed request, as a refresh function gets it; `response.config` is there even when nothing was answered. */
// biome-ignore lint/suspicious/noExplicitAny: the published signature, so that changing the import is the only change.
type RefreshCall = (error: any) => Promise<any>

interface Marked extends InternalAxiosRequestConfig {
  skipAuthRefresh?: boolean
  /** How many refreshes there had been when this request was made. */
  evergrantRefreshes?: number
}

/** All refreshes by one function, whichever instances share it. */
interface Flight {
  running: Promise<void> | undefined
  /** True while the function is being called: requests made meanwhile are the refresh itself. */
  calling: boolean
  /** The number of the last one. */
  last: number
  /** How the last one failed, if it did. */
  failure: { readonly cause: unknown } | undefined
  /** What the last refresh did to the `Authorization` of the request that it was given. */
  changed: { readonly from: unknown; readonly to: unknown }
}

const UNCHANGED = { from: null, to: null }
const flights = new WeakMap<RefreshCall, Flight>()
/** Counts over all flights, so that one stamp tells for each of them whether a request is older than its last refresh. */
let refreshes = 0

/**
 * The signature of `axios-auth-refresh`, without its losses: all requests that fail together are answered together after one refresh, one that fails late
 * is sent again without another, instances that share `refreshAuthCall` share the refresh, an abort is heard while waiting, and a stream is refused
 * instead of sent empty. Returns the id for `instance.interceptors.response.eject`.
 */
export function createAuthRefresh(instance: AxiosInstance, refreshAuthCall: RefreshCall, options: AxiosAuthRefreshOptions = {}): number {
  if (typeof refreshAuthCall !== 'function') throw new TypeError('createAuthRefresh needs `refreshAuthCall`: a function that returns a promise.')
  const flight = flightOf(refreshAuthCall)
  const holdNew = holder(instance, options)
  stampRequests(instance, flight)
  return instance.interceptors.response.use(undefined, async (error) => {
    const config: Marked | undefined = error?.config
    if (config === undefined || config.skipAuthRefresh || !asksForRefresh(error, options)) throw error
    if (isStream(config.data)) throw new AxiosError('This body is a stream and cannot be sent twice.', 'ERR_NOT_REPLAYABLE', config, error.request)
    if (flight.running !== undefined || (config.evergrantRefreshes ?? 0) >= flight.last) {
      flight.running ??= begin(flight, refreshAuthCall, error)
      holdNew(flight.running)
      await whilePatient(config, flight.running)
    } else if (flight.failure !== undefined) throw flight.failure.cause
    const again: Marked = { ...config, headers: renewed(config, flight), skipAuthRefresh: true }
    return await (options.retryInstance ?? instance)((await options.onRetry?.(again)) ?? again)
  })
}

export const createAuthRefreshInterceptor = createAuthRefresh

function flightOf(call: RefreshCall): Flight {
  const flight = flights.get(call) ?? { running: undefined, calling: false, last: 0, failure: undefined, changed: UNCHANGED }
  flights.set(call, flight)
  return flight
}

/** `runWhen` is asked while the request is made, before any interceptor runs; saying no keeps this out of the chain. */
function stampRequests(instance: AxiosInstance, flight: Flight): void {
  const runWhen = (config: Marked): boolean => {
    config.evergrantRefreshes = refreshes
    if (flight.calling) config.skipAuthRefresh = true
    return false
  }
  instance.interceptors.request.use(undefined, undefined, { runWhen })
}

function asksForRefresh(error: AxiosError, { statusCodes = [401], shouldRefresh, interceptNetworkError, maxRetries = 3 }: AxiosAuthRefreshOptions): boolean {
  if (maxRetries < 1) return false
  if (error.response === undefined) return interceptNetworkError === true && error.request?.status === 0
  return shouldRefresh ? shouldRefresh(error) : statusCodes.includes(error.response.status)
}

/**
 * The function is called at once, on the stack of the failure; the flight ends after everybody can see that it exists. Requests that are older than its end
 * share it, good or bad: a refresh that failed is not tried again for each of them.
 */
function begin(flight: Flight, call: RefreshCall, error: AxiosError): Promise<void> {
  const end = (failure?: Flight['failure']): void => {
    Object.assign(flight, { running: undefined, last: ++refreshes, failure })
  }
  return fly(flight, call, error).then(
    () => end(),
    (cause) => {
      end({ cause })
      throw cause
    },
  )
}

async function fly(flight: Flight, call: RefreshCall, error: AxiosError): Promise<void> {
  const config = error.config as InternalAxiosRequestConfig
  error.response ??= { config } as NonNullable<AxiosError['response']>
  const from = config.headers.get('Authorization')
  await called(flight, call, error)
  const to = config.headers.get('Authorization')
  flight.changed = to === from ? UNCHANGED : { from, to }
}

function called(flight: Flight, call: RefreshCall, error: AxiosError): Promise<unknown> {
  flight.calling = true
  try {
    const refresh = call(error)
    if (typeof refresh?.then !== 'function') throw new TypeError('`refreshAuthCall` must return a promise.')
    return refresh
  } finally {
    flight.calling = false
  }
}

/** The documented refresh function writes the new token into the one request that it was given: those that waited beside it get it, too. */
function renewed(config: Marked, { changed }: Flight): Marked['headers'] {
  const headers = new AxiosHeaders(config.headers)
  if (headers.get('Authorization') === changed.from) headers.set('Authorization', changed.to as string)
  return headers
}

/** Requests made during a refresh wait for it. Registered late, so it runs early: interceptors that add the token then add the new one. */
function holder(instance: AxiosInstance, { onRetry }: AxiosAuthRefreshOptions): (running: Promise<void>) => void {
  let gate: number | undefined
  const runWhen = (config: Marked): boolean => !config.skipAuthRefresh
  return (running) => {
    if (gate !== undefined) return
    const hold = async (config: Marked): Promise<InternalAxiosRequestConfig> => {
      await whilePatient(config, running.catch(refuse(config)))
      return (await onRetry?.(config)) ?? config
    }
    const id = instance.interceptors.request.use(hold, undefined, { runWhen })
    gate = id
    const open = (): void => {
      instance.interceptors.request.eject(id)
      gate = undefined
    }
    running.then(open, open)
  }
}

const refuse =
  (config: Marked) =>
  (cause: unknown): never => {
    throw Object.assign(new AxiosError('The refresh that this request waited for failed.', 'ERR_EVERGRANT_REFRESH', config), { cause })
  }
