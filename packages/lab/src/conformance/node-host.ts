import { CookieJar } from './cookie-jar.ts'
import { type Device, type Host, tabHandle } from './host.ts'
import { Tab } from './tab.ts'

/** Tabs in this process: Node's own fetch, a cookie jar for each device, and Node's locks and channels. */
export function nodeHost(): Host {
  return { kind: 'node', newDevice: (origin) => Promise.resolve(nodeDevice(origin)), close: () => Promise.resolve() }
}

function nodeDevice(origin: string): Device {
  const jar = new CookieJar()
  const tabs: Tab[] = []
  return {
    openTab: ({ settings, clockAheadMs }) => {
      const clock = { offsetMs: clockAheadMs ?? 0, sleptMs: 0 }
      const tab = new Tab(settings, { fetch: jar.fetchFrom(origin), ...(clockAheadMs === undefined ? {} : { clock }) })
      tabs.push(tab)
      const invoke = async (name: string, given: readonly unknown[]): Promise<unknown> => await Reflect.apply(Reflect.get(tab, name), tab, given)
      return Promise.resolve(
        tabHandle(invoke, {
          page: null,
          console: [],
          jumpClock: (ms) => {
            clock.offsetMs += ms
            return Promise.resolve()
          },
          passTime: (ms) => {
            clock.offsetMs += ms
            clock.sleptMs += ms
            return Promise.resolve()
          },
          close: () => {
            tab.dispose()
            return Promise.resolve()
          },
        }),
      )
    },
    clearCookies: () => Promise.resolve(jar.clear()),
    close: () => {
      for (const tab of tabs) tab.dispose()
      return Promise.resolve()
    },
  }
}
