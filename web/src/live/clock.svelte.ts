// The time, second by second, for everything that counts up or down. One timer for the whole page.
class Clock {
  now = $state(Date.now());

  start(): () => void {
    const timer = setInterval(() => (this.now = Date.now()), 1_000);
    return () => clearInterval(timer);
  }
}

export const clock = new Clock();
