import { DAY, MINUTE, SECOND } from '../time.ts'

/** How long each part of a connect flow lives, in milliseconds. */
export const CONNECT_TIMES = {
  linkMs: 30 * MINUTE,
  /** A reconnect link may be mailed: it is a landing page, and is spent only by success. */
  reconnectLinkMs: 7 * DAY,
  flowMs: 30 * MINUTE,
  /** From the callback to connect/complete. */
  completionMs: 10 * MINUTE,
  /** The same complete gets the same answer for this long. */
  repeatMs: 10 * MINUTE,
  /** A second callback waits this long for the first to end. */
  twinWaitMs: 20 * SECOND,
  twinPollMs: 100,
  /** A browser may come back before the provider's push; it waits as long as a twin. */
  pushPollMs: 300,
  accountRequestMs: 10 * SECOND,
} as const
