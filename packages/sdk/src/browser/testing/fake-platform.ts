import { vi } from 'vitest'

/** What the tabs of one browser share. Messages take a turn, as between processes. */
export interface FakePlatform {
  /** The window and the document of the page, one for all tabs: tests look at one of them. */
  readonly page: EventTarget & { hidden: boolean; readonly baseURI: string }
  readonly storage: Map<string, string>
  /** Requests for the lock that are granted or wait. */
  locks(): number
  /** Somebody holds the lock and never lets go. */
  hangLock(name: string): void
  dispatch(type: string, more?: object): void
}

interface Parts {
  readonly locks?: boolean
  readonly channels?: boolean
  readonly storage?: boolean
  readonly page?: boolean
}

/** Puts them into the globals; `vi.unstubAllGlobals()` takes them away. */
export function stubPlatform({ locks = true, channels = true, storage = true, page = false }: Parts = {}): FakePlatform {
  const values = new Map<string, string>()
  const window = Object.assign(new EventTarget(), { hidden: false, baseURI: 'https://app.test/' })
  const manager = createLocks()
  vi.stubGlobal('navigator', { onLine: true, locks: locks ? manager : undefined })
  vi.stubGlobal('BroadcastChannel', channels ? createChannels() : undefined)
  const broken = (): never => {
    throw new DOMException('The operation is insecure.', 'SecurityError')
  }
  vi.stubGlobal('localStorage', {
    getItem: storage ? (key: string) => values.get(key) ?? null : broken,
    setItem: storage ? (key: string, value: string) => void values.set(key, value) : broken,
  })
  if (page) {
    vi.stubGlobal('document', window)
    vi.stubGlobal('addEventListener', window.addEventListener.bind(window))
    vi.stubGlobal('removeEventListener', window.removeEventListener.bind(window))
  }
  return {
    page: window,
    storage: values,
    locks: () => manager.waiting.length,
    hangLock: (name) => void manager.request(name, {}, () => new Promise(() => {})),
    dispatch: (type, more = {}) => void window.dispatchEvent(Object.assign(new Event(type), more)),
  }
}

function createLocks() {
  interface Claim {
    readonly start: () => void
  }
  const waiting: Claim[] = []
  return {
    waiting,
    request(_name: string, { signal, ifAvailable }: LockOptions, task: (lock: unknown) => Promise<unknown>): Promise<unknown> {
      if (ifAvailable && waiting.length > 0) return Promise.resolve(task(null))
      return new Promise((resolve, reject) => {
        const done = (): void => {
          waiting.splice(waiting.indexOf(claim), 1)
          waiting[0]?.start()
        }
        const claim: Claim = {
          start: () => {
            signal?.removeEventListener('abort', leave)
            task({}).then(resolve, reject).finally(done)
          },
        }
        const leave = (): void => {
          waiting.splice(waiting.indexOf(claim), 1)
          reject(signal?.reason)
        }
        signal?.addEventListener('abort', leave)
        waiting.push(claim)
        if (waiting[0] === claim) claim.start()
      })
    },
  }
}

function createChannels() {
  const open = new Set<EventTarget>()
  return class FakeChannel extends EventTarget {
    readonly name: string
    constructor(name: string) {
      super()
      this.name = name
      open.add(this)
    }
    postMessage(data: unknown): void {
      const copy = structuredClone(data)
      for (const other of open)
        if (other !== this) setImmediate(() => open.has(other) && other.dispatchEvent(Object.assign(new Event('message'), { data: copy })))
    }
    close(): void {
      open.delete(this)
    }
  }
}
