/** How long a test waits for what has to come, unless it says otherwise. */
export const PATIENCE_MS = 15_000
