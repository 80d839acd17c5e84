/** Where an id leads, by its kind. */
const PLACES: Readonly<Record<string, (id: string) => string>> = {
  con: (id) => `/connections/${id}`,
  int: (id) => `/providers/${id}`,
  agt: (id) => `/agents/${id}`,
  ins: (id) => `/agents/installations/${id}`,
  evt: (id) => `/events?event=${id}`,
  whk: (id) => `/alerts/webhooks/${id}`,
  usr: (id) => `/settings?user=${id}`,
}

/** The page of a pasted id, also one inside a link or with blanks around it; null for what is none. */
export function pathOfId(text: string): string | null {
  const found = /(?:^|[\s/"'=])((con|int|agt|ins|evt|whk|usr)_[A-Za-z0-9-]{16,64})\b/.exec(` ${text.trim()}`)
  const [, id, kind] = found ?? []
  return id === undefined || kind === undefined ? null : (PLACES[kind]?.(id) ?? null)
}
