// The page that Chromium opens: one tab, called through the debugging protocol.
import type { TabSettings } from './asked.ts'
import { Tab } from './tab.ts'

Reflect.set(globalThis, 'openTab', (settings: TabSettings) => {
  Reflect.set(globalThis, 'tab', new Tab(settings))
})
