import type { Mode, TabSettings, Transport } from './asked.ts'
import type { Device, HostKind, TabHandle, TabOpening } from './host.ts'
import type { Recorder } from './recorder.ts'
import type { Person, Stage } from './stage.ts'

/** One column of the table. */
export interface Cell {
  readonly host: HostKind
  readonly transport: Transport
  readonly mode: Mode
}

export const cellName = ({ host, transport, mode }: Cell): string => `${host} ${SAID[transport]} ${mode}`
const SAID: Readonly<Record<Transport, string>> = { string: 'fetch(string)', request: 'fetch(Request)', axios: 'axios' }

type TabOptions = Partial<Omit<TabSettings, 'baseUrl' | 'mode' | 'transport' | 'subject'>> & Omit<TabOpening, 'settings'> & { readonly device?: Device }

/** One scenario in one cell: a device, its tabs, and the counters that judge them. */
export class Play {
  readonly cell: Cell
  readonly stage: Stage
  readonly recorder: Recorder
  readonly #subject: TabSettings['subject']
  readonly #devices: Device[] = []

  constructor(stage: Stage, cell: Cell, subject: TabSettings['subject'] = 'evergrant') {
    this.stage = stage
    this.cell = cell
    this.recorder = stage.recorder
    this.#subject = subject
  }

  async newDevice(): Promise<Device> {
    const device = await this.stage.host(this.cell.host).newDevice(this.recorder.url)
    this.#devices.push(device)
    return device
  }

  async #device(): Promise<Device> {
    return this.#devices[0] ?? (await this.newDevice())
  }

  /** A tab that has just been opened: nothing was asked of its client. */
  async coldTab({ device, before, clockAheadMs, ...rest }: TabOptions = {}): Promise<TabHandle> {
    const settings = { ...rest, baseUrl: this.recorder.url, mode: this.cell.mode, transport: this.cell.transport, subject: this.#subject }
    return await (device ?? (await this.#device())).openTab({
      settings,
      ...(before === undefined ? {} : { before }),
      ...(clockAheadMs === undefined ? {} : { clockAheadMs }),
    })
  }

  /** A tab that is signed in, with a fresh access token in its memory. What that took is forgotten. */
  async tab(options: TabOptions & { readonly person?: number } = {}): Promise<TabHandle> {
    const { person = 0, ...rest } = options
    const tab = await this.coldTab(rest)
    const { email, password }: Person = await this.stage.person(person)
    await tab.signIn(email, password)
    this.recorder.forget()
    return tab
  }

  /** `count` tabs of one device, all signed in and warm. The first signs in, the others find the session; in Node a bearer client has nobody to ask. */
  async tabs(count: number, options: TabOptions = {}): Promise<TabHandle[]> {
    const device = options.device ?? (await this.#device())
    const opened = [await this.tab({ ...options, device })]
    const alone = this.cell.host === 'node' && this.cell.mode === 'bearer'
    while (opened.length < count) {
      if (alone) {
        opened.push(await this.tab({ ...options, device }))
        continue
      }
      const tab = await this.coldTab({ ...options, device })
      const found = await tab.send({ url: '/app/data' })
      if (found.kind !== 'answer' || found.status !== 200) throw new Error(`tab ${opened.length + 1} did not find the session: ${JSON.stringify(found)}`)
      opened.push(tab)
    }
    this.recorder.forget()
    return opened
  }

  async end(): Promise<void> {
    await Promise.all(this.#devices.map((device) => device.close()))
    this.stage.clear()
  }
}
