"""A file system that shows a folder as it is. Others change what they must."""

from __future__ import annotations

import errno
import os
from typing import Any

from fuse import FuseOSError, Operations, fuse_get_context

STATUS = (
    *("st_mode", "st_nlink", "st_uid", "st_gid", "st_size"),
    *("st_atime", "st_mtime", "st_ctime", "st_ino", "st_blocks", "st_blksize"),
)
SPACE = (
    *("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_favail"),
    *("f_ffree", "f_files", "f_flag", "f_frsize", "f_namemax"),
)


class Passing(Operations):  # type: ignore[misc]
    """Passes everything on. Who makes a file owns it."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def real(self, path: str) -> str:
        return self._folder + path

    def __call__(self, op: str, path: str, *args: Any) -> Any:
        """Do an operation: errors of the folder are errors here."""
        try:
            return super().__call__(op, path, *args)
        except FuseOSError:
            raise
        except OSError as error:
            raise FuseOSError(error.errno or errno.EIO) from None

    def getattr(self, path: str, fh: int | None = None) -> dict[str, float]:
        status = os.lstat(self.real(path))
        return {name: getattr(status, name) for name in STATUS}

    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", *os.listdir(self.real(path))]

    def readlink(self, path: str) -> str:
        return os.readlink(self.real(path))

    def access(self, path: str, mode: int) -> None:
        """Leave it to the kernel, which knows who asks."""

    def statfs(self, path: str) -> dict[str, int]:
        status = os.statvfs(self.real(path))
        return {name: getattr(status, name) for name in SPACE}

    def chmod(self, path: str, mode: int) -> None:
        os.chmod(self.real(path), mode)

    def chown(self, path: str, uid: int, gid: int) -> None:
        os.chown(self.real(path), uid, gid)

    def mkdir(self, path: str, mode: int) -> None:
        os.mkdir(self.real(path), mode)
        self._give(path)

    def rmdir(self, path: str) -> None:
        os.rmdir(self.real(path))

    def unlink(self, path: str) -> None:
        os.unlink(self.real(path))

    def symlink(self, target: str, source: str) -> None:
        os.symlink(source, self.real(target))

    def rename(self, old: str, new: str) -> None:
        os.rename(self.real(old), self.real(new))

    def link(self, target: str, source: str) -> None:
        os.link(self.real(source), self.real(target))

    def utimens(self, path: str, times: Any = None) -> None:
        os.utime(self.real(path), times)

    def open(self, path: str, flags: int) -> int:
        return os.open(self.real(path), flags)

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        opened = os.open(self.real(path), os.O_RDWR | os.O_CREAT | os.O_TRUNC, mode)
        self._give(path)
        return opened

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        return os.pwrite(fh, data, offset)

    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        os.truncate(self.real(path), length)

    def release(self, path: str, fh: int) -> None:
        os.close(fh)

    def fsync(self, path: str, datasync: int, fh: int) -> None:
        os.fsync(fh)

    def _give(self, path: str) -> None:
        uid, gid, _ = fuse_get_context()
        os.chown(self.real(path), uid, gid)
