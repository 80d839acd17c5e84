/** What an operator reads when a backup cannot be made, read or trusted. The message is complete and has no secret in it. */
export class BackupError extends Error {
  override readonly name = 'BackupError'
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
