// The part of semver that is used; its types are a package of their own.
declare module 'semver' {
  const semver: {
    satisfies(version: string, range: string): boolean;
    minVersion(range: string): { readonly version: string } | null;
  };
  export default semver;
}
