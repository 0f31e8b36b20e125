// Waits for a condition; says which one did not come.
export async function until(what: string, holds: () => Promise<boolean> | boolean, seconds = 20): Promise<void> {
  const end = Date.now() + seconds * 1_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

// Of expect.poll: what is asserted may come a moment later.
export const patience = { timeout: 20_000, interval: 50 };
