import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'

/** JSON Merge Patch (RFC 7396): null removes a name, an object goes deeper, anything else replaces. */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged = new Map<string, JsonValue>(Object.entries(target))
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name)
    else if (isJsonObject(value)) merged.set(name, mergePatch(objectOr(merged.get(name)), value))
    else merged.set(name, value)
  }
  return Object.fromEntries(merged)
}

function objectOr(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {}
}

/** Levels of nesting; 0 for a plain value. Stops counting past `limit`. */
export function depthOf(value: JsonValue, limit: number): number {
  if (typeof value !== 'object' || value === null) return 0
  if (limit <= 0) return 1
  let deepest = 0
  for (const inner of Array.isArray(value) ? value : Object.values(value)) deepest = Math.max(deepest, depthOf(inner, limit - 1))
  return deepest + 1
}
