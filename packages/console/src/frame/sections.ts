import { Activity, Bell, Bot, CalendarClock, ChartLine, House, KeyRound, type LucideIcon, Plug, Settings, ToyBrick } from 'lucide-react'

interface Section {
  readonly path: string
  readonly text: string
  readonly icon: LucideIcon
  /** After `g`. */
  readonly key: string
}

/** The navigation, in the order of what operators come for. */
export const SECTIONS: readonly Section[] = [
  { path: '/', text: 'Overview', icon: House, key: 'o' },
  { path: '/connections', text: 'Connections', icon: Plug, key: 'c' },
  { path: '/expiry', text: 'Expiry', icon: CalendarClock, key: 'x' },
  { path: '/events', text: 'Events', icon: Activity, key: 'e' },
  { path: '/providers', text: 'Providers', icon: ToyBrick, key: 'p' },
  { path: '/agents', text: 'Agents', icon: Bot, key: 'a' },
  { path: '/keys', text: 'Keys', icon: KeyRound, key: 'k' },
  { path: '/metrics', text: 'Metrics', icon: ChartLine, key: 'm' },
  { path: '/alerts', text: 'Alerts & webhooks', icon: Bell, key: 'l' },
  { path: '/settings', text: 'Settings', icon: Settings, key: 's' },
]
