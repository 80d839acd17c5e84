import { Fault, type FaultDetails } from '../../core/fault/fault.ts'
import type { Change } from '../contract.ts'

/** What the thread of the store is started with. */
export interface ThreadStart {
  readonly path: string
  readonly migrate: boolean
  /** Folder in which compiled code is kept, when this process keeps it: a thread has to be told. */
  readonly compiledIn: string | undefined
}

/** One call of a method of the contract. */
export type Call = readonly [id: number, part: string, method: string, args: readonly unknown[]]

/** Calls that were made in one turn of the event loop travel together. `close` commits what is queued and ends the thread. */
export type ToThread = { readonly kind: 'calls'; readonly calls: readonly Call[] } | { readonly kind: 'close' }

export type Settled = readonly [id: number, kept: boolean, valueOrError: unknown]

/** `settled`: results, with the changes that became durable with them. `opened` names the methods of each part of the contract. */
export type FromThread =
  | { readonly kind: 'opened'; readonly parts: Readonly<Record<string, readonly string[]>> }
  | { readonly kind: 'refused'; readonly error: CarriedError }
  | { readonly kind: 'settled'; readonly changes: readonly Change[]; readonly settled: readonly Settled[] }
  /** The file can no longer be trusted; every call is refused from now on. */
  | { readonly kind: 'lost'; readonly error: CarriedError }
  | { readonly kind: 'closed' }

/** An error as it travels: a fault keeps its code and its words, anything else its message. */
export interface CarriedError {
  readonly fault: Fault['code'] | null
  readonly details: Omit<FaultDetails, 'cause'>
  readonly message: string
  readonly stack: string | undefined
  readonly cause: string | undefined
}

export function carried(error: unknown): CarriedError {
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  if (!(error instanceof Fault)) return { fault: null, details: {}, message, stack, cause: undefined }
  const { cause, ...details } = error.details
  return { fault: error.code, details, message, stack, cause: cause instanceof Error ? cause.message : undefined }
}

export function revived({ fault, details, message, stack, cause }: CarriedError): Error {
  const error = fault === null ? new Error(message) : new Fault(fault, cause === undefined ? details : { ...details, cause: new Error(cause) })
  if (stack !== undefined) error.stack = stack
  return error
}
