"""Where a SQLite file may be: on a local disk that can be written."""

from __future__ import annotations

import os
from pathlib import Path

from wtp.errors import StoreError

_MOUNTS = Path("/proc/mounts")
_NETWORK_FILE_SYSTEMS = {
    *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "fuse.glusterfs"),
    *("fuse.sshfs", "fuse.s3fs", "fuse.rclone", "fuse.davfs2", "fuse.ceph"),
}


def check_place(path: Path) -> None:
    """Make the folder of a SQLite file. Raises StoreError where it cannot be written, or the file system is that of a network."""
    folder = path.resolve().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{folder}: {error.strerror}; allowed: a folder that can be written; choose another instance folder."
        ) from error
    for target in (folder, path):  # SQLite writes its log beside the file
        if target.exists() and not os.access(target, os.W_OK):
            raise StoreError(
                f"{target}: read-only; allowed: a place that can be written; change its rights or choose another instance folder."
            )
    if (kind := _file_system(folder)) in _NETWORK_FILE_SYSTEMS:
        raise StoreError(
            f"{folder}: on a network file system ({kind}), where SQLite can lose answers; allowed: a local disk, or PostgreSQL."
        )


def _file_system(folder: Path) -> str:
    """Kind of the mount that holds a folder, by Linux's own table; empty where there is none."""
    if not _MOUNTS.exists():
        return ""
    mounts = [line.split()[1:3] for line in _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()]
    holding = [(point, kind) for point, kind in mounts if folder.is_relative_to(point.replace("\\040", " "))]
    return max(holding, key=lambda mount: len(mount[0]), default=("", ""))[1]
