/** The pages of `src/views` of which pictures are taken: a name, and the path below the console. */
export const VIEW_PATHS: Readonly<Record<string, string>> = {}
