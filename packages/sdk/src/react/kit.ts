import { classOf } from './class-names.ts'
import { useConnections } from './connections.ts'
import { Icon } from './icons.tsx'
import { useReconnect } from './reconnect.ts'
import { useEvergrantState } from './session.ts'
import { useSetting } from './setting.ts'
import { useNow } from './use-now.ts'

/** What `messages-part.tsx` gets handed instead of importing it: a bundler that finds something on both sides makes a third file of it. */
export const KIT = { Icon, classOf, useConnections, useEvergrantState, useNow, useReconnect, useSetting }
export type Kit = typeof KIT
