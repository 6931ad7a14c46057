// What the tests use of Node; its own declarations would also change those of a browser.

declare module "node:test" {
  type Body = () => void | Promise<void>;

  export function test(name: string, body: Body): void;
  export function beforeEach(body: Body): void;
  export function afterEach(body: Body): void;
  export default test;
}

declare module "node:assert/strict" {
  type Expected = RegExp | object;

  export function ok(value: unknown, message?: string): asserts value;
  export function equal(actual: unknown, expected: unknown, message?: string): void;
  export function notEqual(actual: unknown, expected: unknown, message?: string): void;
  export function deepEqual(actual: unknown, expected: unknown, message?: string): void;
  export function match(text: string, expected: RegExp, message?: string): void;
  export function throws(action: () => unknown, expected: Expected): void;
  export function rejects(promise: Promise<unknown>, expected: Expected): Promise<void>;
}

declare module "node:crypto" {
  export const webcrypto: Crypto;
}
