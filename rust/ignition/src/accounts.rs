// SPDX-License-Identifier: MIT OR Apache-2.0
//! `passwd`: people and groups.

use contract::customise_plan::{GroupPlan, UserPlan};
use ignition_config::v3_6::{Group, Passwd, User};

use crate::{Provision, Result, wrong};

pub(crate) fn read(passwd: Passwd, made: &mut Provision) -> Result<()> {
    for group in passwd.groups.unwrap_or_default() {
        made.groups.push(one_group(group)?);
    }
    for user in passwd.users.unwrap_or_default() {
        made.users.push(one_user(user)?);
    }
    Ok(())
}

fn one_group(group: Group) -> Result<GroupPlan> {
    let name = group.name;
    for (key, given) in [
        ("passwordHash", group.password_hash.is_some()),
        ("shouldExist", group.should_exist == Some(false)),
    ] {
        refuse("group", &name, key, given)?;
    }
    let gid = group.gid.map(u32::try_from).transpose();
    let gid = gid.map_err(|_| wrong(format!("`gid` of {name} is the number of no group."), ""))?;
    Ok(GroupPlan {
        gid,
        system: group.system.unwrap_or(false),
        name,
    })
}

fn one_user(user: User) -> Result<UserPlan> {
    let name = user.name;
    for (key, given) in [
        ("gecos", user.gecos.is_some_and(|text| !text.is_empty())),
        ("homeDir", user.home_dir.is_some()),
        ("noCreateHome", user.no_create_home == Some(true)),
        ("noLogInit", user.no_log_init == Some(true)),
        ("noUserGroup", user.no_user_group == Some(true)),
        ("primaryGroup", user.primary_group.is_some()),
        ("shouldExist", user.should_exist == Some(false)),
        ("system", user.system == Some(true)),
        ("uid", user.uid.is_some()),
    ] {
        refuse("user", &name, key, given)?;
    }
    Ok(UserPlan {
        password_hash: user.password_hash.map(Into::into),
        groups: user.groups.unwrap_or_default(),
        ssh_authorized_keys: user.ssh_authorized_keys.unwrap_or_default(),
        shell: user.shell,
        name,
    })
}

fn refuse(what: &str, name: &str, key: &str, given: bool) -> Result<()> {
    match given {
        true => Err(wrong(
            format!("`{key}` of the {what} {name} cannot be applied."),
            "Leave it out: the image's own useradd(8) and groupadd(8) decide it.",
        )),
        false => Ok(()),
    }
}
