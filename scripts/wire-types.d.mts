export function wireTypes(document: unknown): Readonly<Record<string, string>>
