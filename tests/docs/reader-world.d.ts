// What the reader of a page has in an application of their own, and pages speak of without defining it. As loose as a page leaves it, and no looser.

declare module '*.css'

declare const email: string
declare const password: string
declare const code: string
declare const url: string
declare const id: string
declare const folder: string
declare const body: string
declare const user: { readonly id: string }
declare const request: Request
declare const connection: { readonly id: string }

declare const router: { navigate(path: string, options: { readonly state: object }): void }
declare const spinner: { show(): void }
declare const socket: WebSocket
declare const button: HTMLButtonElement
declare function render(connections: readonly object[]): void
declare function show(url: string | null): void
declare function showReconnect(url: string | null): void
declare function setStep(step: string): void
declare function ordersOf(owner: string): readonly object[]
declare function enqueue(id: string, event: unknown): void
declare function refreshAuthLogic(failed: unknown): Promise<unknown>

declare const collector: { send(message: string, fields: object): void }

declare function Skeleton(): null
declare function SignIn(): null
declare function App(): null
declare function Chip(properties: { readonly color: string; readonly children: unknown }): null

declare const onlineManager: { setEventListener(listen: (setOnline: (online: boolean) => void) => (() => void) | undefined): void; isOnline(): boolean }
declare class QueryClient {
  constructor(options: { readonly defaultOptions: object })
}
