// Uploads of inputs, in parts, so that a large file neither has to fit into one request nor begins anew after a break.
import { asApiError, type ApiError } from '@/api/client';
import { beginUpload, continueUpload } from '@/api/routes';
import { sayError } from '@/parts/toasts.svelte';

const partBytes = 8 * 1024 * 1024;
const triesMax = 5;

export interface UploadTarget {
  dataset: string;
  path: string;
}

// Sends one file whole; gives its path on the daemon's machine.
export async function uploadFile(file: File, progress: (sent: number) => void, target?: UploadTarget): Promise<string> {
  const { upload, offset } = await beginUpload({ name: file.name, bytes: file.size, ...target });
  let sent = offset;
  for (;;) {
    const answer = await sendPart(upload, sent, file.slice(sent, sent + partBytes));
    sent = answer.offset;
    progress(sent);
    if (answer.path !== undefined) return answer.path;
  }
}

async function sendPart(upload: string, offset: number, part: Blob) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await continueUpload(upload, offset, part);
    } catch (thrown) {
      if (asApiError(thrown).kind !== 'away' || tries === triesMax) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 1_000 * tries));
    }
  }
}

export const uploadWords = (error: ApiError): string =>
  error.kind === 'not_available' ? 'This daemon takes no uploads: give the path of a file on its machine.' : error.message;

class Uploads {
  active = $state(0);
  fraction = $state(0);

  // null: it failed, and was said.
  async send(file: File): Promise<string | null> {
    this.active += 1;
    this.fraction = 0;
    try {
      return await uploadFile(file, (sent) => (this.fraction = file.size === 0 ? 1 : sent / file.size));
    } catch (thrown) {
      sayError(`${file.name} was not uploaded`, uploadWords(asApiError(thrown)));
      return null;
    } finally {
      this.active -= 1;
    }
  }
}
export const uploads = new Uploads();
