/** Of the chosen rows those that are still on the screen: nobody acts on what a later reading took away. All of them while nothing is there yet. */
export function stillShown(chosen: ReadonlySet<string>, rows: readonly { readonly id: string }[] | undefined): ReadonlySet<string> {
  if (rows === undefined || chosen.size === 0) return chosen
  const shown = new Set(rows.map(({ id }) => id))
  return new Set([...chosen].filter((id) => shown.has(id)))
}
