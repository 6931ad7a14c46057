// What the tests use of Node; its own declarations would also change those of a browser.

declare module "node:test" {
  export default function test(name: string, body: () => void | Promise<void>): void;
}

declare module "node:assert/strict" {
  export function equal(actual: unknown, expected: unknown, message?: string): void;
  export function deepEqual(actual: unknown, expected: unknown, message?: string): void;
  export function rejects(promise: Promise<unknown>, expected: RegExp | object): Promise<void>;
}
