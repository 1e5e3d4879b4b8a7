// The parts of semver that are used; its types are a separate package.
declare module 'semver' {
  const semver: {
    satisfies(version: string, range: string): boolean;
    minVersion(range: string): { readonly version: string } | null;
  };
  export default semver;
}
