// SPDX-License-Identifier: Apache-2.0
//! The programs a host cannot start, let people in or repair itself without.
//!
//! Paths are in merged form (`/usr/bin`, never `/bin`; see [`crate::merged_path`]) for the layouts of
//! Debian, Red Hat and SUSE. From public file lists of those distributions. What they load is
//! found by the agent from `DT_NEEDED` and added to [`crate::CriticalPrograms`].

use crate::CriticalRole;

/// Programs of one role in one folder.
#[derive(Debug, Clone, Copy)]
pub struct Seed {
    /// Folder in merged form.
    pub directory: &'static str,
    /// File names.
    pub names: &'static [&'static str],
    /// What they are for.
    pub role: CriticalRole,
}

/// Files of one role in one folder, by the beginning and end of the name.
#[derive(Debug, Clone, Copy)]
pub struct SeedDirectory {
    /// Folder in merged form.
    pub directory: &'static str,
    /// The name begins so.
    pub prefix: &'static str,
    /// The name contains this after the beginning (empty: anything; [`ANY_VERSION`]: digits and dots only).
    pub contains: &'static str,
    /// What they are for.
    pub role: CriticalRole,
}

const fn seed(directory: &'static str, names: &'static [&'static str], role: CriticalRole) -> Seed {
    Seed { directory, names, role }
}

const fn pattern(
    directory: &'static str,
    prefix: &'static str,
    contains: &'static str,
    role: CriticalRole,
) -> SeedDirectory {
    SeedDirectory { directory, prefix, contains, role }
}

/// Programs by name.
pub const SEED_PROGRAMS: &[Seed] = &[
    seed("/usr/sbin", &["init", "openrc-init", "runit", "telinit"], CriticalRole::Init),
    seed(
        "/usr/lib/systemd",
        &[
            "systemd",
            "systemd-executor",
            "systemd-journald",
            "systemd-udevd",
            "systemd-logind",
            "systemd-networkd",
            "systemd-resolved",
            "systemd-fsck",
            "systemd-modules-load",
            "systemd-remount-fs",
            "systemd-shutdown",
            "systemd-sysctl",
            "systemd-user-runtime-dir",
            "systemd-cryptsetup",
            "systemd-makefs",
            "systemd-growfs",
            "systemd-update-utmp",
            "systemd-user-sessions",
            "systemd-random-seed",
            "systemd-boot-check-no-failures",
        ],
        CriticalRole::Init,
    ),
    seed(
        "/usr/bin",
        &["systemctl", "systemd-tmpfiles", "udevadm", "dbus-daemon", "dbus-broker"],
        CriticalRole::Init,
    ),
    seed(
        "/usr/sbin",
        &["sshd", "agetty", "getty", "sulogin", "nologin", "unix_chkpwd", "mingetty"],
        CriticalRole::Login,
    ),
    seed(
        "/usr/bin",
        &["login", "su", "sudo", "sudoedit", "doas", "passwd", "newgrp", "sg", "unix_chkpwd"],
        CriticalRole::Login,
    ),
    seed("/usr/lib/openssh", &["sshd-session", "sshd-auth", "sftp-server"], CriticalRole::Login),
    seed(
        "/usr/libexec/openssh",
        &["sshd-session", "sshd-auth", "sftp-server", "sshd-keygen"],
        CriticalRole::Login,
    ),
    seed("/usr/lib/ssh", &["sshd-session", "sshd-auth", "sftp-server"], CriticalRole::Login),
    seed("/usr/libexec/sudo", &["sudoers.so", "libsudo_util.so.0", "sudo_noexec.so"], CriticalRole::Login),
    seed("/usr/lib/sudo", &["sudoers.so", "libsudo_util.so.0", "sudo_noexec.so"], CriticalRole::Login),
    seed("/usr/sbin", &["sssd", "nscd", "nslcd"], CriticalRole::Login),
    seed(
        "/usr/bin",
        &["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "rbash", "busybox", "coreutils", "env"],
        CriticalRole::Shell,
    ),
    seed(
        "/usr/bin",
        &[
            "dpkg",
            "dpkg-deb",
            "dpkg-query",
            "dpkg-split",
            "dpkg-trigger",
            "dpkg-divert",
            "dpkg-statoverride",
            "apt",
            "apt-get",
            "apt-cache",
            "apt-config",
            "apt-mark",
            "rpm",
            "rpm2cpio",
            "rpmdb",
            "rpmkeys",
            "dnf",
            "dnf-3",
            "dnf4",
            "dnf5",
            "yum",
            "microdnf",
            "zypper",
            "gpgv",
            "gpg",
            "tar",
            "gzip",
            "xz",
            "zstd",
        ],
        CriticalRole::PackageManager,
    ),
    seed(
        "/usr/lib/apt/methods",
        &["file", "gpgv", "http", "https", "store", "copy", "rred"],
        CriticalRole::PackageManager,
    ),
    seed("/usr/sbin", &["ldconfig", "ldconfig.real", "start-stop-daemon"], CriticalRole::PackageManager),
    seed(
        "/usr/sbin",
        &[
            "modprobe",
            "insmod",
            "rmmod",
            "depmod",
            "lsmod",
            "modinfo",
            "fsck",
            "e2fsck",
            "fsck.ext2",
            "fsck.ext3",
            "fsck.ext4",
            "fsck.xfs",
            "xfs_repair",
            "fsck.btrfs",
            "btrfs",
            "swapon",
            "swapoff",
            "blkid",
            "losetup",
            "lvm",
            "mdadm",
            "cryptsetup",
            "dmsetup",
            "switch_root",
            "pivot_root",
            "hwclock",
            "grub-install",
            "grub2-install",
            "grub-mkconfig",
            "grub2-mkconfig",
            "update-grub",
            "grub-probe",
            "grub2-probe",
            "update-initramfs",
            "mkinitramfs",
            "dracut",
            "grubby",
            "efibootmgr",
            "reboot",
            "shutdown",
            "halt",
            "poweroff",
            "ip",
            "dhclient",
        ],
        CriticalRole::Boot,
    ),
    seed(
        "/usr/bin",
        &[
            "mount",
            "umount",
            "kmod",
            "lsinitrd",
            "dracut",
            "mkinitrd",
            "findmnt",
            "kernel-install",
            "grub-editenv",
            "grub2-editenv",
        ],
        CriticalRole::Boot,
    ),
];

/// Stands for a version number in [`SeedDirectory::contains`].
pub const ANY_VERSION: &str = "<version>";

/// Files by folder and the form of their names. A `*` component stands for exactly one folder
/// (the multiarch triplet, the kernel's release).
pub const SEED_DIRECTORIES: &[SeedDirectory] = &[
    pattern("/boot", "vmlinuz", "", CriticalRole::Boot),
    pattern("/boot", "vmlinux", "", CriticalRole::Boot),
    pattern("/boot", "Image", "", CriticalRole::Boot),
    pattern("/boot", "initrd", "", CriticalRole::Boot),
    pattern("/boot", "initramfs", "", CriticalRole::Boot),
    pattern("/usr/lib/modules/*", "vmlinuz", "", CriticalRole::Boot),
    pattern("/usr/lib/modules/*", "initrd", "", CriticalRole::Boot),
    pattern("/boot/efi/EFI/*", "shim", ".efi", CriticalRole::Boot),
    pattern("/boot/efi/EFI/*", "grub", ".efi", CriticalRole::Boot),
    pattern("/boot/grub/*", "", ".mod", CriticalRole::Boot),
    pattern("/boot/grub2/*", "", ".mod", CriticalRole::Boot),
    pattern("/usr/lib/*/security", "pam_", ".so", CriticalRole::Login),
    pattern("/usr/lib/security", "pam_", ".so", CriticalRole::Login),
    pattern("/usr/lib64/security", "pam_", ".so", CriticalRole::Login),
    pattern("/usr/lib/*", "libnss_", ".so", CriticalRole::Login),
    pattern("/usr/lib", "libnss_", ".so", CriticalRole::Login),
    pattern("/usr/lib64", "libnss_", ".so", CriticalRole::Login),
    pattern("/usr/lib/*", "libpam", ".so", CriticalRole::Login),
    pattern("/usr/lib64", "libpam", ".so", CriticalRole::Login),
    pattern("/usr/lib/*", "ld-", ".so", CriticalRole::Library),
    pattern("/usr/lib", "ld-", ".so", CriticalRole::Library),
    pattern("/usr/lib64", "ld-", ".so", CriticalRole::Library),
    pattern("/usr/lib/*", "libc.so.", "", CriticalRole::Library),
    pattern("/usr/lib64", "libc.so.", "", CriticalRole::Library),
    pattern("/usr/lib/systemd", "libsystemd-", ".so", CriticalRole::Init),
    pattern("/usr/lib/*/systemd", "libsystemd-", ".so", CriticalRole::Init),
    // dnf, yum and cloud images' boot need the system's interpreter; debconf needs perl.
    pattern("/usr/bin", "python3", ANY_VERSION, CriticalRole::Shell),
    pattern("/usr/libexec", "platform-python", ANY_VERSION, CriticalRole::Shell),
    pattern("/usr/bin", "perl", ANY_VERSION, CriticalRole::Shell),
];
