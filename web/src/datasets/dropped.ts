// The files of a drop, folders opened, with their paths below what was dropped.
export interface DroppedFile {
  path: string;
  file: File;
}

export async function filesOfDrop(items: DataTransferItemList): Promise<DroppedFile[]> {
  // Entries have to be taken before the first await: the list is emptied after the event.
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const all: DroppedFile[] = [];
  for (const entry of entries) await walk(entry, '', all);
  return withoutCommonFolder(all);
}

// Of an <input type="file" webkitdirectory>.
export function filesOfPicker(files: FileList): DroppedFile[] {
  return withoutCommonFolder([...files].map((file) => ({ path: file.webkitRelativePath || file.name, file })));
}

// A single folder that was dropped gives the dataset its content, not itself; hidden files stay behind.
export function withoutCommonFolder(all: DroppedFile[]): DroppedFile[] {
  const shown = all.filter(({ path }) => !path.split('/').some((part) => part.startsWith('.')));
  const folder = shown[0]?.path.split('/')[0];
  if (!folder || !shown.every(({ path }) => path.startsWith(folder + '/'))) return shown;
  return shown.map(({ path, file }) => ({ path: path.slice(folder.length + 1), file }));
}

async function walk(entry: FileSystemEntry, above: string, all: DroppedFile[]): Promise<void> {
  const path = above + entry.name;
  if (entry.isFile) {
    all.push({ path, file: await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)) });
  } else {
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    // A reader gives a hundred entries at a time.
    for (;;) {
      const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (some.length === 0) return;
      for (const one of some) await walk(one, `${path}/`, all);
    }
  }
}
