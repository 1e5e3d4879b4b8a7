/** The numbers of checks so far. */
export const checked = { passed: 0, failed: 0 };

/** Runs one check and prints its line; a failed check is counted, and the others continue. */
export async function check(title: string, what: () => Promise<string>): Promise<void> {
  try {
    const remark = await what();
    checked.passed += 1;
    console.log(`${title.padEnd(44)} ok      ${remark}`);
  } catch (error) {
    checked.failed += 1;
    const { stderr } = error as { stderr?: string };
    console.log(`${title.padEnd(44)} FAILED  ${stderr || String(error)}`);
  }
}
